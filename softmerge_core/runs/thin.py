"""Fewer moments of a recorded run, so that it ships in few bytes: ``python -m softmerge_core.runs.thin FOLDER ...``.

How often gates, decisions and progress are told depends on how fast a machine is. Of those of one stage at most MOMENTS
stay, evenly spread, with the first and the last; no other event is touched, and no number is changed.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from softmerge_core.home import write_atomic
from softmerge_core.runs import files

MOMENTS = 10
TOLD_OFTEN = ("gates", "boundary", "progress")


def thinned(events: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The events of a run, oldest first, with no more than MOMENTS of each kind that is told often, stage by stage."""
    places: dict[tuple[str, int], list[int]] = {}
    stage = 0
    for place, event in enumerate(events):
        stage += event["kind"] == "stage"
        if event["kind"] in TOLD_OFTEN:
            places.setdefault((event["kind"], stage), []).append(place)
    left_out = {place for found in places.values() for place in set(found) - set(_spread(found))}
    return [event for place, event in enumerate(events) if place not in left_out]


def _spread(places: Sequence[int]) -> list[int]:
    last = len(places) - 1
    if last < MOMENTS:
        return list(places)
    return [places[round(number * last / (MOMENTS - 1))] for number in range(MOMENTS)]


def main(folders: Sequence[str]) -> None:
    """Thin the logs of the run folders."""
    for folder in folders:
        log = Path(folder) / files.EVENTS
        lines = log.read_text(encoding="utf-8").splitlines()
        kept = thinned([{**json.loads(line), "line": line} for line in lines])
        write_atomic(log, "".join(f"{event['line']}\n" for event in kept).encode())


if __name__ == "__main__":
    main(sys.argv[1:])
