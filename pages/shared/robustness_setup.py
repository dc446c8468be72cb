"""The left side of the Robustness page: honest sources, what some of them do instead, and who has to bear it."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from pages.shared.bring_own import BringOwn, bring_own
from pages.shared.compare_setup import nothing_to_do, pick_methods
from pages.shared.model_picker import ATTACKS, PickedSource, pick_family, pick_sources
from pages.shared.run_setup import Setup, checked
from pages.shared.settings_form import settings_form, step_of
from pages.shared.text import plain
from softmerge_core.errors import SoftMergeError
from softmerge_core.experiments.robustness import METHODS, RobustnessSpec
from softmerge_core.methods import available_methods
from softmerge_core.settings import USUAL_STRENGTH, DataSpec, parse
from softmerge_core.zoo import FamilyInfo

TITLES = {**ATTACKS, "copy": "Copies of one source"}
MEANING = {  # attack -> what a malicious source sends
    "extreme": "weights blown up by a factor, with noise on top",
    "noise": "its weights with noise on top, in standard deviations of each tensor",
    "sign_flip": "its weights with every sign flipped",
    "label_flip": "a network trained further, for some epochs, on wrong labels",
    "confident": "a network that is wrong and sure of it; its answers are sharpened by a factor",
    "nan": "weights that are not a number; they are excluded, and the page says so",
    "inf": "weights that are infinite; they are excluded, and the page says so",
    "copy": "the first source's weights, so that these outweigh the others",
}
UNITS = {"extreme": "factor", "noise": "SDs of each tensor", "label_flip": "epochs", "confident": "factor"}
STRENGTH_HELP = "How strong the attack is; the picture on the right shows other strengths beside it."
KEY = "robustness-"


def attack_title(attack: str) -> str:
    """An attack as readers see it."""
    return TITLES.get(attack, attack.replace("_", " ").capitalize())


def robustness_setup() -> Setup:
    """All widgets on the left; errors are told, never raised."""
    st.subheader("Honest sources", anchor=False)
    family = pick_family()
    if family is None:
        return Setup(None)
    picked = pick_sources(family, honest=True)
    own = bring_own(family)
    picked += own.sources
    st.subheader("Attack", anchor=False)
    values = _attack(picked)
    st.subheader("Methods", anchor=False)
    options = [name for name, method in available_methods().items() if "base" not in method.needs]
    names = pick_methods(f"{KEY}methods", options, [name for name in METHODS if name in options])
    with st.expander("More", icon=":material/tune:"):
        values |= settings_form(RobustnessSpec, fields=["seed"], prefix=KEY)
        limits = settings_form(DataSpec, fields=["train_samples", "validation_samples"], prefix=KEY)
    return _spec(family, picked, own, [*names], values, limits)


def _attack(picked: Sequence[PickedSource]) -> dict[str, Any]:
    """What malicious sources do, how strongly, and how many do it."""
    attack = str(
        st.pills(
            "What malicious sources do",
            list(TITLES),
            default="extreme",
            required=True,
            format_func=attack_title,
            key=f"{KEY}attack",
            bind="query-params",
            wrap=True,
            help="What malicious sources send instead of their own weights.",
        )
    )
    st.caption(f"Each malicious source sends {MEANING.get(attack, 'a spoiled copy')}.")
    first, second = st.columns(2, gap="small", vertical_alignment="bottom")
    with first:
        malicious = _malicious(len(picked))
    with second:
        strength = pick_strength(attack, f"{KEY}strength", STRENGTH_HELP)
    if malicious:
        names = "; ".join(plain(source.title, 40) for source in picked[-malicious:])
        st.caption(f":material/warning: Malicious: {names}.")
    return {"attack": attack, "malicious": malicious, "strength": strength}


def _malicious(count: int) -> int:
    """How many of the sources, the last ones, are malicious; one stays honest."""
    most, key = max(count - 1, 1), f"{KEY}malicious"
    if int(st.session_state.get(key) or 0) > most:
        st.session_state[key] = most  # sources were taken away since
    return int(
        st.slider(
            "How many are malicious",
            0,
            most,
            1,
            key=key,
            bind="query-params",
            help="So many of the chosen sources, the last ones, are malicious; at least one stays honest.",
        )
    )


def pick_strength(attack: str, key: str, help: str) -> float | None:
    """How strong the attack is, where it can be more or less; a widget for each attack."""
    usual = USUAL_STRENGTH.get(attack)
    if usual is None:
        return None
    return float(
        st.number_input(
            f"Strength ({UNITS.get(attack, 'factor')})",
            min_value=0.0,
            max_value=1e6,
            value=usual,
            step=step_of(float, usual),
            format="%.4g",
            key=f"{key}-{attack}",
            bind="query-params",
            help=help,
        )
    )


def _spec(
    family: FamilyInfo,
    picked: Sequence[PickedSource],
    own: BringOwn,
    names: Sequence[str],
    values: dict[str, Any],
    limits: dict[str, Any],
) -> Setup:
    if problem := nothing_to_do(picked, names):
        return Setup(None, problem)
    try:
        data = parse(DataSpec, {"dataset": own.dataset or family.dataset, **limits}, "data")
        about = f"{attack_title(values['attack']).lower()}, {values['malicious']} of {len(picked)} malicious"
        chosen = {
            "name": f"{family.title}, {about}",
            "sources": [source.spec for source in picked],
            "data": data,
            "methods": list(names),
        }
        spec: RobustnessSpec = parse(RobustnessSpec, {**chosen, **values}, "spec")
    except SoftMergeError as error:
        return Setup(None, str(error))
    return checked(spec, data)
