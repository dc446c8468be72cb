"""Choosing a family of trained networks, and which of them take part, as they are or spoiled."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from pages.shared.choose.attack import attack_fields
from pages.shared.choose.form import one_of, settings_form
from pages.shared.show.text import plain
from softmerge_core.attacks import attacks, find_attack
from softmerge_core.errors import SettingsError
from softmerge_core.experiments.words import clipped, percent
from softmerge_core.numbers import usual_spaces
from softmerge_core.settings import AttackSettings, SourceSpec, parse
from softmerge_core.zoo import FamilyInfo, ModelInfo, all_families

FIRST = "mnist1d-cnn-shared-trunk"
Measure = Callable[[SourceSpec], float | None]  # the test accuracy of a source as it is spoiled, where it is known
AT_ONCE = 4  # of a family with more sources so many are chosen at first: enough to see what gates do


@dataclass(frozen=True)
class PickedSource:
    """A chosen source and the name it is shown by."""

    spec: SourceSpec
    title: str
    problem: str = ""  # with its attack; it then has none


def pick_family(
    *, key: str = "family", first: str = FIRST, only: Callable[[FamilyInfo], bool] = lambda family: True
) -> FamilyInfo | None:
    """The chosen family, at first ``first``, with one sentence about it; None where there is none, and that is said.

    ``only``: which families are offered.
    """
    found = {name: family for name, family in all_families().items() if only(family)}
    if not found:
        st.info("No trained networks are installed. Make them with:  `make zoo`", icon=":material/info:")
        return None
    names = sorted(found, key=lambda name: (name != first, bool(found[name].place), found[name].title))
    chosen = one_of(
        st.selectbox,
        "Family of trained networks",
        names,
        format_func=lambda name: usual_spaces(clipped(found[name].title, 120)),
        key=key,
        bind="query-params",
        help="Networks of one architecture, trained apart; how they differ decides what merging can do.",
    )
    st.caption(plain(found[chosen].description, 400))
    return found[chosen]


def model_text(model: ModelInfo) -> str:
    """A model in a list to choose from, and in the links that choose it: its title and its test accuracy."""
    return usual_spaces(f"{model.title} ({percent(model.accuracy.get('test'))})")


def pick_sources(family: FamilyInfo, measure: Measure | None = None, *, honest: bool = False) -> list[PickedSource]:
    """A card for each model of the family; returns those that take part, in the family's order.

    ``measure``: as in ``source_card``; ``honest``: none can be poisoned here, and those that are do not take part at
    first.
    """
    first = [model for model in family.models if not (honest and model.attack)][:AT_ONCE]
    with st.container(key="cards", gap="xsmall"):
        cards = [
            source_card(family.source(model), model, measure, chosen=model in first, honest=honest)
            for model in family.models
        ]
    return [card for card in cards if card]


def too_few(picked: Sequence[PickedSource]) -> str:
    """The problem with fewer than two sources, or with the attack on one of them, or ""."""
    if len(picked) < 2:
        return f"Choose two or more sources: {len(picked)} {'is' if len(picked) == 1 else 'are'} chosen"
    return next((source.problem for source in picked if source.problem), "")


def source_card(
    name: str, model: ModelInfo, measure: Measure | None = None, *, chosen: bool, honest: bool = False
) -> PickedSource | None:
    """One model, ``name`` as a SourceSpec wants it: take part or not, test accuracy, how trained, a poison menu.

    ``measure`` tells the accuracy of a copy that is poisoned here; None: the card says that it is not known.
    """
    with st.container(border=True, gap=None, key=f"card-{_slug(name)}"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            taken = st.toggle(
                plain(model.title),
                value=chosen,
                key=f"{'honest' if honest else 'use'}:{name}",
                bind="query-params",
                persist_state="session",
                help="Whether this source takes part in the merge.",
                width="stretch",
            )
            place = st.empty()  # beside the menu that decides what is said here
            attack, problem = (None, "") if honest else poison_menu(name, model.title)
        spec = SourceSpec(model=name, attack=attack)
        place.markdown(_accuracy(model, spec, measure), width="content")
        st.caption(_about(model, attack))
    return PickedSource(spec, model.title, problem) if taken else None


def _accuracy(model: ModelInfo, spec: SourceSpec, measure: Measure | None) -> str:
    """The test accuracy of what takes part, as Markdown: one number, so that the row has room for it in large type."""
    accuracy = model.accuracy.get("test")
    if spec.attack is not None:
        accuracy = measure(spec) if measure else None
        if accuracy is None:
            return "*being measured*"
    return f"**{percent(accuracy)}**"


def poison_menu(key: str, title: str) -> tuple[AttackSettings | None, str]:
    """A small menu that spoils the copy of a source that takes part; the source itself stays as it is.

    Returns the attack, if any, and the problem with its settings, or "".

    ``title``: the source's name, which tells the button from those of other sources; only its icon is seen.
    """
    label = f"Poison {plain(title)}"
    with st.popover(label, icon=":material/science:", type="tertiary", help="Poison a copy of this source."):
        kind = st.pills(
            "Poison this source",
            list(attacks()),
            format_func=lambda name: attacks()[name].title,
            key=f"poison:{key}",
            bind="query-params",
            persist_state="session",
            help="A spoiled copy takes part in its place; choose it once more to undo.",
        )
        values = _rest(key, kind) if kind else {}
    try:
        return (parse(AttackSettings, {"kind": kind, **values}, f"poison of {title}") if kind else None), ""
    except SettingsError as error:
        return None, str(error)


def _rest(key: str, kind: str) -> dict[str, float]:
    names, defaults = attack_fields(kind)
    return settings_form(AttackSettings, prefix=f"poison:{key}:{kind}:", fields=names, defaults=defaults)


def _about(model: ModelInfo, attack: AttackSettings | None) -> str:
    spoiled = attack or model.attack
    if spoiled is None:
        return plain(model.how, 160)
    mark = f":red-badge[:material/warning: Poisoned: {find_attack(spoiled.kind).title}]"
    before = f" Before: {percent(model.accuracy.get('test'))}." if attack else ""
    return f"{mark}{before} {plain(model.how, 120)}"


def _slug(text: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in text)
