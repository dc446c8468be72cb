"""The form of a poisoned copy, and what came of it."""

from collections.abc import Sequence

import streamlit as st

from pages.models.cards import Entry, family_entries, own_entries
from pages.models.naming import pick_name
from pages.models.train import merge_button
from pages.shared.choose.attack import attack_fields
from pages.shared.choose.form import one_of, settings_form
from pages.shared.choose.zoo_command import zoo_command
from pages.shared.show.text import plain
from softmerge_core.attacks import attacks, find_attack
from softmerge_core.errors import SoftMergeError
from softmerge_core.experiments.words import percent, sentence
from softmerge_core.settings import AttackSettings, parse
from softmerge_core.zoo import (
    LibraryModel,
    check_name,
    families,
    library,
    same_kind,
    slug,
)

PREFIX = "poison-"


def poison_setup(entries: Sequence[Entry]) -> Entry | None:
    """The form; makes the copy when asked to. Returns the model that is chosen."""
    found = {entry.model: entry for entry in entries}
    if not found:
        st.info("There is no model here to copy: choose a family above.", icon=":material/info:")
        return None
    if st.session_state.get(f"{PREFIX}model") not in [None, *found]:
        del st.session_state[f"{PREFIX}model"]
    model = one_of(
        st.selectbox,
        "Copy of",
        list(found),
        format_func=lambda name: found[name].info.title,
        key=f"{PREFIX}model",
        bind="query-params",
        persist_state="session",
        help="The model to copy; it stays as it is.",
    )
    values = _attack()
    wanted = slug(f"{found[model].info.title.partition(',')[0]} {find_attack(str(values['kind'])).title}")
    help = "Letters, digits, - and _: under this name the copy is kept in your library."
    name = pick_name(f"{PREFIX}name", wanted, library(), joint="-", help=help)
    if st.button("Make poisoned copy", type="primary", icon=":material/science:", help="Keep it in your library."):
        _make(found[model], values, name)
    return found[model]


def _attack() -> dict[str, object]:
    kind = one_of(
        st.pills,
        "Attack",
        list(attacks()),
        format_func=lambda kind: attacks()[kind].title,
        default="extreme",
        wrap=True,
        key=f"{PREFIX}kind",
        bind="query-params",
        persist_state="session",
        help=AttackSettings.model_fields["kind"].description,
    )
    st.caption(find_attack(kind).does)
    fields, defaults = attack_fields(kind)
    rest = settings_form(AttackSettings, prefix=f"{PREFIX}{kind}-", fields=fields, defaults=defaults)
    return {"kind": kind, **rest}


def poisoned_copy(model: str, attack: AttackSettings, name: str) -> str:
    """Keep a spoiled copy of ``model`` in the library; returns its name there, raises CheckpointError."""
    chosen = [f"--attack={attack.kind}", f"--strength={attack.strength!r}", f"--seed={attack.seed}", f"--name={name}"]
    made = zoo_command("poison", model, *chosen, failure=f"{model}: the copy could not be made")
    return str(made["name"])


def _make(entry: Entry, values: dict[str, object], name: str) -> None:
    try:
        check_name(name)
        attack = parse(AttackSettings, values, "attack")
        with st.spinner("Making the copy and measuring its accuracy"):
            made = poisoned_copy(entry.model, attack, name)
    except SoftMergeError as error:
        st.session_state["poison:made"] = None
        st.error(plain(sentence(str(error)), 500), icon=":material/error:")
        return
    st.session_state["poison:made"] = (entry.model, entry.info.accuracy.get("test"), made)


def poison_outcome() -> None:
    """Draw the accuracy before and after the last copy was made."""
    _, before, name = st.session_state.get("poison:made") or (None, None, None)
    model = library().get(name) if name else None
    if model is not None:
        after = percent(model.accuracy.get("test"))
        st.success(
            f"Kept in your library as **{plain(model.title, 64)}**: {percent(before)} of the test samples "
            f"classified correctly before, {after} after.",
            icon=":material/check:",
        )
        merge_button(model)


def relatives(entry: Entry) -> list[Entry]:
    """The models that a copy of ``entry`` is compared with: its family, and the reader's own of the same kind."""
    own = [other for other in own_entries() if same_kind(other.origin, entry.origin)]
    shipped = [] if isinstance(entry.origin, LibraryModel) else family_entries(families()[entry.origin.name])
    return [*shipped, *own]
