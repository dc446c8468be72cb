"""Several runs in one task of a worker: side by side where their experiment can, one after another where it cannot."""

import contextlib
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

from softmerge_core.errors import RunError
from softmerge_core.experiments import Spec, experiment
from softmerge_core.experiments.kinds import registered_files
from softmerge_core.runs import files
from softmerge_core.runs.store import read_spec
from softmerge_core.runs.writer import RunWriter, Spread, conduct

Attempt = tuple[Path, int]  # a run's folder, and which attempt at it

logger = logging.getLogger(__name__)


def conduct_together(attempts: Sequence[Attempt], spread: Spread | None = None) -> None:
    """Make these attempts at runs that are alike, each of which writes its own folder as if it went alone.

    One that was ended before it began is left out, as is one that another process writes, and a run that has been
    begun alone goes on alone from its snapshot.
    """
    fresh = [attempt for attempt in attempts if not (attempt[0] / files.SNAPSHOT).exists()]
    alone = [attempt for attempt in attempts if attempt not in fresh]
    if len(fresh) == 1:
        alone, fresh = [*alone, *fresh], []
    with contextlib.ExitStack() as stack:
        writers = [writer for folder, number in fresh if (writer := _begun(stack, folder, number))]
        _side_by_side([writer for writer in writers if not _stopped(writer)])
    for folder, number in alone:
        with _told(folder):
            conduct(folder, number, spread=spread)


def _begun(stack: contextlib.ExitStack, folder: Path, attempt: int) -> RunWriter | None:
    with _told(folder):
        return stack.enter_context(RunWriter(folder, attempt, together=True))
    return None


@contextlib.contextmanager
def _told(folder: Path) -> Iterator[None]:
    try:
        yield
    except RunError as error:  # it was ended, or deleted, before it began
        logger.info("Run %s is left out: %s", folder.name, error)


def _stopped(writer: RunWriter) -> bool:
    if writer.should_stop():
        writer.end("stopped")
        return True
    return False


def _side_by_side(writers: Sequence[RunWriter]) -> None:
    """Do the work of runs that have begun; where it fails, it fails for all of them."""
    ready = [(writer, spec) for writer in writers if (spec := _checked(writer))]
    if not ready:
        return
    kind = experiment(ready[0][1].kind)
    try:
        results = kind.run_each([spec for _, spec in ready], [writer for writer, _ in ready])
    except Exception as error:
        for writer, _ in ready:
            writer.fail(error)
        return
    for (writer, spec), result in zip(ready, results, strict=True):
        try:
            own = registered_files(spec)
            writer.finish(result | {"networks": own} if own else result)
        except Exception as error:
            writer.fail(error)


def _checked(writer: RunWriter) -> Spec | None:
    """The spec of a run that has begun; None where it cannot be run, which is then how it ended."""
    try:
        spec = read_spec(writer.folder)
        experiment(spec.kind).check(spec)
    except Exception as error:
        writer.fail(error)
        return None
    return spec
