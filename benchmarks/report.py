"""The report of all benchmarks, ``benchmarks/README.md``: one section a benchmark and kind of device.

Each section carries its own date, versions and machine, and is replaced only by a new measurement of the same.
"""

import argparse
import importlib
import inspect
import re
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.base import Benchmark
from benchmarks.machine import Stopwatch
from softmerge_core.registry import declared

README = Path(__file__).parent / "README.md"
HEAD = """# What was measured

Made by `python -m benchmarks`; do not edit. A section is measured anew by `python -m benchmarks --only NAME`, which
leaves the others as they are, and printed alone by `python -m benchmarks.NAME`. Packages that some sections compare
with are installed by `pip install -r benchmarks/requirements.txt`; without them those columns are empty. A ratio of
times is the median over turns, in each of which both are timed in one process; its quartiles are in brackets.
"""
Key = tuple[str, str]  # the benchmark's name, the kind of device
SECTION = re.compile(r"^<!-- section: (\w+), (\w+) -->\n(.*?)\n<!-- end -->$", re.MULTILINE | re.DOTALL)


def sections(text: str) -> dict[Key, str]:
    """Return the sections of a report."""
    return {(name, device): body.strip() for name, device, body in SECTION.findall(text)}


def compose(found: dict[Key, str]) -> str:
    """Return a report with these sections, in order of their names; their titles are listed above."""
    ordered = sorted(found.items())
    titles = [body.partition("\n")[0].removeprefix("## ") for _, body in ordered]
    contents = [f"- [{title}](#{_anchor(title)})" for title in titles]
    bodies = [f"<!-- section: {name}, {device} -->\n\n{body}\n\n<!-- end -->" for (name, device), body in ordered]
    return "\n\n".join((HEAD + "\n" + "\n".join(contents), *bodies)) + "\n"


def _anchor(title: str) -> str:
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def update(path: Path, new: dict[Key, str]) -> None:
    """Put sections into the report at ``path``, which need not exist; the others stay."""
    old = path.read_text(encoding="utf-8") if path.exists() else ""
    beside = path.with_suffix(".new")
    beside.write_text(compose({**sections(old), **new}), encoding="utf-8")
    beside.replace(path)


def measure(module: str, device: str) -> str:
    """Return the section of the benchmark in ``module``, and print it as it is measured; raises what it raises."""
    loaded = importlib.import_module(module)
    benchmark: Benchmark = loaded.BENCHMARK
    watch = Stopwatch()
    title = benchmark.title if device == "cpu" else f"{benchmark.title}, on {device}"
    found = [f"## {title}", "", inspect.getdoc(loaded) or "", ""]
    print(*found, sep="\n", flush=True)
    for line in benchmark.lines(device):
        print(line, flush=True)
        found.append(line)
    return "\n".join([*found, "", watch.stamp(device, benchmark.peers)])


def attempt(name: str, module: str, device: str, out: Path) -> bool:
    """Measure one benchmark into the report; False if it failed, whose old section, if any, stays."""
    try:
        update(out, {(name, device): measure(module, device)})
    except ModuleNotFoundError as error:
        print(f"{name} is left out: the package {error.name} is not installed\n", flush=True)
    except Exception:
        traceback.print_exc()
        return False
    return True


def chosen(known: dict[str, tuple[str, dict[str, Any]]], options: argparse.Namespace) -> Iterator[str]:
    """Yield the names of the benchmarks to measure."""
    there = sections(options.out.read_text(encoding="utf-8")) if options.out.exists() else {}
    for name in options.only or known:
        row = known[name][1]
        if options.device not in row.get("devices", ("cpu",)):
            if options.only:
                print(f"{name} is left out: it is not measured on {options.device}\n")
        elif (options.only or row["minutes"] <= options.minutes) and not (
            options.missing and (name, options.device) in there
        ):
            yield name


def _options(names: Sequence[str], arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure, and write it into the report.")
    parser.add_argument("--only", nargs="+", choices=names, metavar="NAME", help="these benchmarks; usually all")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--out", type=Path, default=README, help="the report; sections not measured now stay")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="leave out what takes longer than this")
    parser.add_argument("--missing", action="store_true", help="only what the report has no section of, to go on")
    parser.add_argument("--add", type=Path, metavar="FILE", help="measure nothing: take the sections of another report")
    parser.add_argument("--list", action="store_true", help="measure nothing: tell names, minutes and titles")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None, package: str = "benchmarks") -> int:
    """Do what the command line says; returns 1 if a benchmark failed, else 0."""
    known = declared(package, "BENCHMARK")
    options = _options(list(known), arguments)
    if options.list:
        print(*(f"{name:20} {row['minutes']:4g} min  {row['title']}" for name, (_, row) in known.items()), sep="\n")
        return 0
    if options.add:
        update(options.out, sections(options.add.read_text(encoding="utf-8")))
        return 0
    done = [attempt(name, known[name][0], options.device, options.out) for name in chosen(known, options)]
    return int(not all(done))
