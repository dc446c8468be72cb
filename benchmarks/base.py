"""The form of a benchmark, and the door of each: ``python -m benchmarks.<name>``.

A benchmark is one module of this package that defines the constant ``BENCHMARK``; ``python -m benchmarks`` finds it by
that. Its other values are written out as literals, so that they can be read without loading what it measures.
"""

import argparse
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.tables import Table, lines


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """One section of the report, of which the docstring of the module is the text.

    ``name``: that of the module; ``minutes``: how long it takes on two cores, about; ``devices``: the kinds on which it
    can be measured; ``peers``: packages that it compares with where they are installed, or stands on: their versions
    are told. ``tables(device, **options)`` yields tables and paragraphs; its arguments that have default values are
    options of the benchmark's own door.
    """

    name: str
    title: str
    minutes: float
    tables: Callable[..., Iterable[Table | str]]
    devices: tuple[str, ...] = ("cpu",)
    peers: tuple[str, ...] = ()

    def lines(self, device: str, **options: Any) -> Iterator[str]:
        """Measure on one thread of the processor, or on the device "cuda", and yield the lines of the section."""
        import torch

        torch.set_num_threads(1)
        return lines(self.tables(device, **options))

    def main(self, arguments: Sequence[str] | None = None) -> None:
        """Print the section by itself, with the options that the command line names."""
        text = inspect.getdoc(sys.modules[self.tables.__module__])
        parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
        parser.add_argument("--device", choices=self.devices, default=self.devices[0])
        for name, parameter in inspect.signature(self.tables).parameters.items():
            if parameter.default is not parameter.empty:
                _add_option(parser, name, parameter.default)
        for line in self.lines(**vars(parser.parse_args(arguments))):
            print(line, flush=True)


def _add_option(parser: argparse.ArgumentParser, name: str, default: Any) -> None:
    """Add ``--name``: a switch for False, a list for a tuple, else one value; of the default's type, or words."""
    if default is False:
        parser.add_argument(f"--{name}", action="store_true")
    elif isinstance(default, tuple):
        parser.add_argument(f"--{name}", nargs="*", type=type((*default, "")[0]), default=default, help="usually all")
    else:
        parser.add_argument(f"--{name}", type=type(default), default=default, help=f"usually {default}")
