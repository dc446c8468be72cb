"""What federated learning looks like while it runs and after: accuracy by round, and how every client fares."""

from functools import partial

import streamlit as st

from pages.shared.runs.downloads import downloads
from pages.shared.runs.panel import progress, tell_end
from pages.shared.runs.reader import RunReader
from pages.shared.runs.services import is_live
from pages.shared.show.live_plot import live_plot
from pages.shared.show.text import html_table, plain
from pages.shared.show.theme import current_theme
from softmerge_core.events import Shards
from softmerge_core.experiments import Spec
from softmerge_core.experiments.federated.spec import FederatedSpec
from softmerge_core.experiments.federated.words import (
    LAST,
    clients_sentence,
    gates_sentence,
    histories,
    measure_sentence,
    rounds_sentence,
    run_rows,
    shards_sentence,
    verdict,
)
from softmerge_core.figures.federated import (
    clients_figure,
    clients_height,
    measure_figure,
    rounds_figure,
    shards_figure,
)

HEIGHT, LOW = 380, 270  # px
NOTHING_YET = "Nothing has been run yet: press Start rounds, and watch the clients learn together."
IDLE = {
    "rounds": "Test accuracy of the server's network after each round, a line for every algorithm",
    "shards": "How many samples of each class every client has",
    "clients": "The accuracy of each client's network after local training",
    "drift": "How far clients move away from the server's weights in a round",
    "spread": "How far the clients' weight scopes lie from the fused one",
    "gates": "The mean gate of each client in the server's soft merge",
}
TITLES = {
    "rounds": "Test accuracy by round",
    "shards": "Who has what",
    "clients": "Each client",
    "drift": "Client drift",
    "spread": "Scope spread",
    "gates": "Gates on the server",
}


def draw_federated(reader: RunReader | None, chosen: Spec | None = None) -> None:
    """All that follows the run, in the same places before, during and after it; ``chosen``: the spec on the left."""
    spec = reader.view.spec if reader and isinstance(reader.view.spec, FederatedSpec) else None
    clients = spec.settings.clients if spec else getattr(getattr(chosen, "settings", None), "clients", 10)
    with st.container(key="verdict-slot"):
        _verdict(reader, spec)
    _picture(reader, spec, "rounds", HEIGHT)
    for pair, height in ((("shards", "clients"), clients_height(clients)), (("drift", "spread"), LOW)):
        for column, name in zip(st.columns(2, gap="medium"), pair, strict=True):
            with column:
                _picture(reader, spec, name, height)
    if spec is not None and any(run.aggregation == "soft" for run in spec.runs):
        _picture(reader, spec, "gates", clients_height(clients))
    with st.container(key="outcome-slot"):
        if reader is not None and spec is not None:
            _numbers(reader, spec)


def _verdict(reader: RunReader | None, spec: FederatedSpec | None) -> None:
    """The progress, who was excluded, and who is ahead."""
    if reader is None or spec is None:
        st.progress(0.0, text=NOTHING_YET)
        return
    progress(reader)
    tell_end(reader, "run")
    with st.container(border=True, gap="xsmall", key="verdict"):
        st.markdown(f"**{plain(verdict(spec, histories(reader.events)), 900)}**")
        st.caption(f"Accuracies are means over the last {LAST} rounds; {plain(spec.name, 120)}.")


def _picture(reader: RunReader | None, spec: FederatedSpec | None, name: str, height: int) -> None:
    """One picture under its name and what it shows."""
    theme, figure, words = current_theme(), None, f"{IDLE[name]}."
    if reader is not None and spec is not None:
        kinds = ("shards",) if name == "shards" else ("evaluation", "federated_round")
        figure = reader.drawn(name, kinds, theme, partial(_figure, reader, spec, name, height))
        words = plain(_words(reader, spec, name), 900)
    with st.container(key=f"picture-{name}", gap="xsmall"):
        st.markdown(f"**{TITLES[name]}.** {words}")
        live_plot(
            figure, key=f"{name}-plot", height=height, alt=IDLE[name], waiting="Drawn here while clients learn together"
        )


def _shards(reader: RunReader) -> Shards | None:
    return next((event for event in reader.events if isinstance(event, Shards)), None)


def _words(reader: RunReader, spec: FederatedSpec, name: str) -> str:
    events = reader.events
    if name == "shards":
        return shards_sentence(_shards(reader))
    if name in ("drift", "spread"):
        return measure_sentence(events, spec, name)
    return {"rounds": rounds_sentence, "clients": clients_sentence, "gates": gates_sentence}[name](events, spec)


def _figure(reader: RunReader, spec: FederatedSpec, name: str, height: int) -> object:
    theme, events, shards = current_theme(), reader.events, _shards(reader)
    rounds = spec.settings.rounds
    if name == "rounds":
        return rounds_figure(events, spec.runs, theme=theme, rounds=rounds, height=height)
    if name in ("drift", "spread"):
        return measure_figure(events, spec.runs, name, theme=theme, rounds=rounds, height=height)
    if shards is None:
        return None
    if name == "shards":
        return shards_figure(shards.counts, shards.malicious, theme=theme)
    value = "gates" if name == "gates" else "accuracies"
    return clients_figure(events, spec.runs, shards.malicious, theme=theme, value=value)


def _numbers(reader: RunReader, spec: FederatedSpec) -> None:
    """The runs as a table, and the spec to take along."""
    st.markdown("**The runs in numbers.** Test accuracy; points: what scope alignment gained over the run without it.")
    head = ("Run", f"Last {LAST} rounds", "Points", "Best (round)")
    st.html(html_table(head, run_rows(reader.events, spec)))
    if not is_live(reader.view):
        downloads(reader)
