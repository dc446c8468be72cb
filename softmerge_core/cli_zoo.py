"""The commands of ``softmerge zoo``: families, and the reader's library. Results go to stdout, progress to stderr."""

import contextlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from softmerge_core.attacks import find_attack
from softmerge_core.cli import plain, show
from softmerge_core.errors import CheckpointError, SettingsError, short
from softmerge_core.settings import AttackSettings, parse
from softmerge_core.zoo import Asked, FileAsked, Verdict, is_weights_file, library, take_in
from softmerge_core.zoo.verdicts import refused, remarks, what_it_is


def zoo_list(as_json: bool) -> None:
    """Show every family of the zoo."""
    from softmerge_core.zoo import families

    found = families().values()
    if as_json:
        show([plain(family) for family in found])
        return
    for family in found:
        print(f"{family.name}: {family.title} ({len(family.models)} models, {family.network}, {family.dataset})")


def zoo_build(names: list[str], out: str | None) -> None:
    """Train the zoo's families again (all, or those named), into ``out`` or where they are shipped."""
    from softmerge_core.zoo.build import build

    print("training the zoo's families; this takes minutes", file=sys.stderr)
    for folder in build(names, out):
        print(folder)


def zoo_add(paths: Sequence[str], network: str, dataset: str, name: str, title: str, like: str = "") -> None:
    """Keep weights files in the reader's library, measured on their data, and print the model, or a list of several.

    All must be of the first one's architecture, which its tensors tell unless ``network`` does. Those that fit are
    kept; for the others CheckpointError names the first of them and its layer. What is of no known network is compared
    with the one that it comes nearest to, or with ``like``.
    """
    found = _at_the_door(paths, network, dataset, name, title, like, keep=True)
    if wrong := [verdict for verdict in found if not verdict.fits]:
        more = f" (nor do {len(wrong) - 1} others fit)" if len(wrong) > 1 else ""
        raise CheckpointError(f"{refused(wrong[0])}{more}")
    known = library()
    kept = [{**plain(known[verdict.model]), "finite": verdict.finite} for verdict in found]
    show(kept if len(kept) > 1 else kept[0])


def zoo_check(paths: Sequence[str], network: str, dataset: str, like: str, as_json: bool) -> None:
    """Say of each weights file what it is, whether it fits the first one and the data, and which layer does not.

    Raises CheckpointError, after the table, where any does not fit.
    """
    found = _at_the_door(paths, network, dataset, "", "", like)
    if as_json:
        show([{**plain(verdict), "fits": verdict.fits} for verdict in found])
    else:
        for verdict in found:
            print("\t".join((verdict.file, what_it_is(verdict), "yes" if verdict.fits else "no", remarks(verdict))))
    if wrong := sum(not verdict.fits for verdict in found):
        raise CheckpointError(f"{wrong} of {len(found)} files {'does' if wrong == 1 else 'do'} not fit")


def _at_the_door(
    paths: Sequence[str], network: str, dataset: str, name: str, title: str, like: str, *, keep: bool = False
) -> list[Verdict]:
    """What came of each of the files in ``paths``."""
    files = [FileAsked(path=path.absolute(), title=title or path.name, name=name) for path in _weights_files(paths)]
    data = str(Path(dataset).absolute()) if dataset.endswith(".npz") else dataset
    return take_in(
        Asked(files=tuple(files), dataset=data, keep=keep, network=network, like=like, together=len(files) > 1)
    )


def _weights_files(paths: Sequence[str]) -> list[Path]:
    """The files in ``paths``, of which folders stand for the weights files in them; raises CheckpointError for none."""
    found: list[Path] = []
    for path in map(Path, paths):
        inside = sorted(each for each in path.iterdir() if is_weights_file(each)) if path.is_dir() else [path]
        if not inside:
            raise CheckpointError(f"{path.name}: expected a folder with weights files, found none")
        found += inside
    return found


def zoo_keep(run: str, which: str, name: str, title: str) -> None:
    """Keep a network of a run in the reader's library, measured on its data, and print the model."""
    from softmerge_core.export.keeping import keep_network
    from softmerge_core.zoo import check_name

    if name:
        check_name(name)
    show(plain(keep_network(run, which, name, title)))


def zoo_compare(models: list[str]) -> None:
    """Print how far apart the weights of models are, each named as in a spec, and what is odd about them."""
    from softmerge_core.experiments.merge.fit import fit_sentence
    from softmerge_core.zoo import card_title
    from softmerge_core.zoo.fit import find_fit

    found = find_fit(models)
    show({"sentence": fit_sentence(found, [card_title(model) for model in models]), **found.as_json()})


def zoo_match(model: str, other: str, orders: str, seed: int) -> None:
    """Print what ``match_models`` finds; ``orders``: its orders as JSON, or "". Raises SettingsError for no JSON."""
    from softmerge_core.alignment.models import match_models

    try:
        standing = json.loads(orders or "[]")
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"orders: expected JSON, got {short(orders)}") from error
    show(match_models(model, other, standing, seed))


def zoo_poison(model: str, values: dict[str, Any], name: str) -> None:
    """Keep a spoiled copy of a model in the reader's library, measured on its data, and print the copy.

    ``values``: the attack's settings; a strength of None is the attack's usual one.
    """
    from softmerge_core.zoo import add_poisoned_copy, check_name

    attack = find_attack(str(values["kind"]))
    if name:
        check_name(name)
    if values.get("strength") is None:
        values = {**values, "strength": attack.usual if attack.graded else None}
    chosen = parse(AttackSettings, {key: value for key, value in values.items() if value is not None}, "attack")
    with contextlib.redirect_stdout(sys.stderr):
        copy = add_poisoned_copy(model, chosen, name)
    show(plain(copy))
