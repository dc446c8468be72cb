"""The menu that varies settings of a page: one or more of them over a range, several seeds each, as one sweep.

One menu beside Start and not a sign at each setting: the Merge page alone has forty of these, on a phone as on a large
screen, and every sign would be drawn again in each rerun. Nothing of it is drawn before it is opened.
"""

from collections.abc import Mapping
from functools import reduce
from typing import Any

import streamlit as st
from pydantic import ValidationError

from pages.shared.choose.form import choice_title, limits, number_field, one_of, step_of
from pages.shared.runs.in_class import check_room, note_start
from pages.shared.runs.services import runner, visitor
from pages.shared.show.site_map import page_at
from pages.shared.show.text import plain
from softmerge_core.errors import SoftMergeError
from softmerge_core.experiments import Spec, experiments
from softmerge_core.experiments.sweeping.spec import MOST_AXES, MOST_RUNS, MOST_SEEDS, MOST_VALUES, Sweep, expand, size
from softmerge_core.experiments.sweeping.varied import Varied, can_be_swept, seed_path, value_text, varied_settings
from softmerge_core.experiments.words import plural, sentence
from softmerge_core.problems import problems

SWEEP = "sweep"  # the name of a sweep in the address, and of the page that shows it
SPACINGS = {"log": "Log", "linear": "Linear", "list": "List"}
SEEDS, COUNT = 3, 6  # at first
UNSET = (100, 1000)  # a range at first, of a number that is not set: those that may be left out count samples
TIMES = 10.0  # a range at first reaches so many times below and above the present value


def vary(kind: str, spec: Spec | None) -> None:
    """Draw the menu, for kinds that can be swept; ``spec``: the page's present settings, None where they cannot run."""
    known = experiments().get(kind)
    if known is None or known.outcome is None:
        return
    menu = st.popover(
        "Vary", icon=":material/grid_view:", on_change="rerun", key=f"{kind}-vary",
        help="Run these settings many times: one setting or several over a range, with several seeds.",
    )  # fmt: skip
    if menu.open:
        with menu:
            _menu(kind, spec)


def _menu(kind: str, spec: Spec | None) -> None:
    if spec is None or not can_be_swept(spec):
        st.caption("The settings on this page cannot be run as they are; put them right first.")
        return
    settings = varied_settings(spec)
    chosen = st.multiselect(
        "Settings to vary", list(settings), max_selections=MOST_AXES, key=f"vary:{kind}:settings",
        format_func=lambda path: _title(settings[path]), placeholder="One or two; up to four", persist_state="session",
        help="All other settings stay as they are on this page.",
    )  # fmt: skip
    chosen = [path for path in chosen if path in settings]
    axes = [{"path": path, "range": _range(f"vary:{kind}:{path}", settings[path])} for path in chosen]
    first, second = st.columns([1, 2], gap="small", vertical_alignment="bottom")
    with first:
        seeds = _seeds(kind, spec)
    with second:
        with_base = st.toggle(
            "Also the present values", value=True, key=f"vary:{kind}:base", persist_state="session",
            help="The values that this page has now are among the points, to compare the others with.",
        )  # fmt: skip
    if not chosen:
        st.caption("Choose a setting above, and its range.")
        return
    _start(kind, spec, {"axes": axes, "seeds": seeds, "with_base": with_base})


def _seeds(kind: str, spec: Spec) -> int:
    """How often each point is run: once where a run repeats with seeds by itself."""
    place = seed_path(spec)
    if place is None:
        st.caption("Each run has as many seeds as this page sets.")
        return 1
    found = number_field(
        "Seeds", int, 1, MOST_SEEDS, value=SEEDS, step=1, key=f"vary:{kind}:seeds", persist_state="session",
        help="How often each point is run, each time with another seed; three tell how far seeds lie apart.",
    )  # fmt: skip
    return int(found or 1)


def _start(kind: str, spec: Spec, values: Mapping[str, Any]) -> None:
    """How many runs it will be, and the button; or what is wrong with the ranges."""
    sweep, problem = _sweep(spec, values)
    if sweep is not None:
        points, runs = size(sweep)
        each = "" if seed_path(spec) is None else f" with {plural(len(sweep.seeds), 'seed')} each"
        st.caption(f"{plural(points, 'point')}{each}: {plural(runs, 'run')}.")
    pressed = st.button(
        "Start the sweep", type="primary", icon=":material/play_arrow:", disabled=sweep is None,
        key=f"vary:{kind}:start",
        help="Run all of these, and watch them on the Sweep page; runs of others have their turns between them.",
    )  # fmt: skip
    if sweep is not None and pressed:
        try:
            check_room()
            kept = runner().submit_sweep(sweep, owner=visitor())
            note_start(kept.id, tagged=False)
        except SoftMergeError as error:
            problem = str(error)
        else:
            st.session_state[f"{SWEEP}:shown"] = kept.id
            st.switch_page(page_at(SWEEP), query_params={SWEEP: kept.id})
    if problem:
        st.error(plain(sentence(problem), 400), icon=":material/error:")


def _sweep(spec: Spec, values: Mapping[str, Any]) -> tuple[Sweep | None, str]:
    """The sweep, or what is wrong with it."""
    seeds = _seeds_from(spec, values["seeds"])
    try:
        sweep = Sweep.model_validate({**values, "seeds": seeds, "base": spec})
        if size(sweep)[1] <= MOST_RUNS:
            _check(sweep.model_dump_json(), sweep)
        else:
            expand(sweep)  # which says so
    except ValidationError as error:
        return None, problems(Sweep, error)
    except SoftMergeError as error:
        return None, str(error)
    return sweep, ""


def _seeds_from(spec: Spec, count: int) -> tuple[int, ...]:
    """So many seeds, from that of the page on; from 0 where it has none."""
    place, first = seed_path(spec), 0
    if place is not None:
        first = reduce(getattr, place.split("."), spec)  # type: ignore[assignment]
    begin = min(int(first), 2**31 - 1 - count)
    return tuple(range(begin, begin + count))


@st.cache_data(max_entries=64, show_spinner=False)
def _checked(text: str, _sweep: Sweep) -> str:
    try:
        expand(_sweep)
    except SoftMergeError as error:
        return str(error)
    return ""


def _check(text: str, sweep: Sweep) -> None:
    """Raise SoftMergeError where a point cannot be run; remembered, for every point is looked at."""
    if problem := _checked(text, sweep):
        raise SoftMergeError(problem)


def _title(about: Varied) -> str:
    return f"{about.label[:1].upper()}{about.label[1:]} (now {value_text(about.now)})"


def _range(key: str, about: Varied) -> dict[str, Any]:
    """The widgets of one setting's range; returns it as plain values."""
    st.markdown(f"**{plain(about.label[:1].upper() + about.label[1:])}**", help=about.field.description)
    if about.number is None:
        values = st.multiselect(
            "Values", list(about.choices), default=list(about.choices), format_func=_choice, key=f"{key}:values",
            help="The values that are tried.", persist_state="session", label_visibility="collapsed",
        )  # fmt: skip
        return {"spacing": "list", "listed": tuple(values)}
    spacing = one_of(
        st.segmented_control, "Spacing", list(SPACINGS), format_func=SPACINGS.get, key=f"{key}:spacing",
        default="log" if _unset(about) or (about.now and about.now > 0) else "linear", persist_state="session",
        help="Evenly in size, evenly in proportion, or the values one by one.", label_visibility="collapsed",
    )  # fmt: skip
    if spacing == "list":
        text = st.text_input(
            "Values, parted by commas", value_text(about.now).replace(",", "") if about.now is not None else "",
            key=f"{key}:list", help="The numbers that are tried.", persist_state="session",
        )  # fmt: skip
        return {"spacing": "list", "listed": tuple(_number(item) for item in text.split(",") if item.strip())}
    return {"spacing": spacing, **_ends(key, about, spacing)}


def _ends(key: str, about: Varied, spacing: str) -> dict[str, Any]:
    """From, to, and how many."""
    low, high = limits(about.field)
    now = float(about.now or 0)
    first, last = (now / TIMES, now * TIMES) if now > 0 else (low or 0.0, high if high and high <= 10 else 1.0)
    first, last = UNSET if _unset(about) else (first, last)
    first, last = max(first, low or first), min(last, high if high is not None else last)
    kind: Any = about.number
    if kind is int:
        first, last = max(1, round(first)) if spacing == "log" else round(first), round(last)
    columns = st.columns(3, gap="small", vertical_alignment="bottom")
    found = {}
    for column, name, label, value in zip(columns, ("first", "last"), ("From", "To"), (first, last), strict=False):
        with column:
            found[name] = number_field(
                label, kind, low, high, value=kind(value), step=kind(step_of(kind, value)), key=f"{key}:{name}",
                persist_state="session", help=f"The {name} value that is tried.",
            )  # fmt: skip
    with columns[2]:
        found["count"] = number_field(
            "Number", int, 2, MOST_VALUES, value=COUNT, step=1, key=f"{key}:count", persist_state="session",
            help="How many values are tried.",
        )  # fmt: skip
    return found


def _unset(about: Varied) -> bool:
    """Whether it is a number of samples of which all are taken now."""
    return about.now is None and about.number is int


def _number(text: str) -> Any:
    """A number as it is typed; what is none stays text, which is then refused by name."""
    text = text.strip()
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _choice(value: Any) -> str:
    return choice_title(value_text(value) if isinstance(value, bool) else value)
