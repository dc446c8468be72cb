"""The files that a reader can take from a run, and the command that repeats it."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from pages.shared.runs.bundles import take_run, tell_mark
from pages.shared.runs.keeping import keep_button
from pages.shared.runs.reader import RunReader
from pages.shared.show.file_button import file_button
from pages.shared.show.table import Exact, show_table
from softmerge_core.experiments import experiment
from softmerge_core.experiments.tables import Table, as_csv
from softmerge_core.settings import SourceSpec
from softmerge_core.zoo import slug


def file_name(reader: RunReader, what: str, ending: str) -> str:
    """The name of a run's download: ``file_stem`` and its ending."""
    return f"{file_stem(reader, what)}.{ending}"


def file_stem(reader: RunReader, what: str) -> str:
    """What a run's download is called: the page, what it holds, of which networks, and the run."""
    spec, run = reader.view.spec, reader.run_id.replace("example:", "example-")
    return f"{spec.kind}-{what}-{slug(_networks(dict(spec)))}-{run}"


def _networks(values: Mapping[str, Any]) -> str:
    """The family of the first source, or the network and data that are trained."""
    if "network" in values:
        return f"{values['network']} {Path(values['data'].dataset if 'data' in values else values['dataset']).stem}"
    models = [source.model for source in values.get("sources", ()) if isinstance(source, SourceSpec)]
    family, _, model = models[0].partition("/") if models else ("", "", "")
    return f"own {model}" if family == "library" else Path(family or "run").stem


def downloads(reader: RunReader, first: Callable[[], None] | None = None) -> None:
    """Draw a row of download buttons, the page's own (drawn by ``first``) before the spec, and the command below."""
    with st.container(horizontal=True, vertical_alignment="center"):
        if first is not None:
            first()
        keep_button(reader)
        for table, text in reader.once("tables", lambda: _tables(reader)):
            csv_button(table.title, text, file_name(reader, table.name, "csv"), table.about, place=table.name)
        _spec(reader)
        take_run(reader, partial(file_name, reader))
    tell_mark(reader)
    st.caption(f"The same on the command line, with the spec downloaded above:  \n`{_command(reader)}`")


def _tables(reader: RunReader) -> list[tuple[Table, str]]:
    """The tables of the run's numbers, each with its CSV."""
    spec = reader.view.spec
    return [(table, as_csv(table.head, table.rows)) for table in experiment(spec.kind).tables(spec, reader.events)]


def run_table(
    reader: RunReader, what: str, head: Sequence[str], rows: Sequence[Sequence[str]], *, exact: Exact | None = None
) -> None:
    """Draw a table of the numbers of a run, as ``show_table`` does; ``what``: what it holds, as its file says it."""
    show_table(head, rows, name=file_stem(reader, what), exact=exact, place=what)


def csv_button(label: str, table: str, name: str, help: str, *, place: str) -> None:
    """A button that downloads a table of comma-separated values; ``place`` as in ``file_button``."""
    file_button(label, name, text=table, icon=":material/table:", help=help, place=f"csv-{place}")


def _spec(reader: RunReader) -> None:
    file_button(
        "Spec",
        file_name(reader, "spec", "json"),
        text=json.dumps(reader.view.spec.model_dump(mode="json"), indent=2),
        icon=":material/data_object:",
        help="All settings of this run, for the command line or another machine.",
        place="spec",
    )


def _command(reader: RunReader) -> str:
    """The command for this run: ``merge`` and ``compare`` have their own, ``run`` takes a spec of any kind."""
    name, kind = file_name(reader, "spec", "json"), reader.view.spec.kind
    if kind == "merge":
        return f"python -m softmerge_core merge {name} --out merged"
    return f"python -m softmerge_core {'compare' if kind == 'compare' else 'run'} {name}"
