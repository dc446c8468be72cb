"""Numbers, lists and names as sentences need them. The results are plain text; pages make it safe for their markup."""

import math
import re
from collections.abc import Sequence

from softmerge_core.attacks import attacks
from softmerge_core.events import Event, Progress, Stage, newest
from softmerge_core.numbers import MINUS, NO_BREAK, percent_text, range_text

NEAR = 1.5  # times as long: nearer ends of a span are told as one number
MINUTES, HOURS = 90.0, 5370.0  # seconds: from the first on a time is told in minutes, from the second on in hours
MOMENT = 5.0  # seconds: nobody plans a shorter time
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would compute
_SPACE = re.compile(r"[^\S\u00a0]+")  # a no-break space stays
_PERCENT = re.compile(r"(?<=\d) (?=%)")
_SOURCE = re.compile(r"(?<![\w/-])source-(\d+)(?: \((\w+)\))?(?![\w-]|\.\w)")  # no path, no part of a longer name
_QUOTED = re.compile(r"\b[Ss]ource '(source-\d+(?: \(\w+\))?)'")  # as errors name one


def percent(share: float | None) -> str:
    """An accuracy (0-1) in percent, one decimal."""
    return "unknown" if share is None or not math.isfinite(share) else percent_text(share, 1)


def source_text(text: str) -> str:
    """``text`` with the names that results and events give to sources as cards have them.

    "source-2 (sign_flip)" is "Source 2, signs flipped", and so is "source 'source-2 (sign_flip)'".
    """
    return _SOURCE.sub(_card_name, _QUOTED.sub(r"\1", text))


def _card_name(found: re.Match[str]) -> str:
    number, kind = found.groups()
    spoiled = attacks().get(kind or "")
    return f"Source {number}" + (f", {spoiled.mark}" if spoiled else f" ({kind})" if kind else "")


def clipped(text: str, limit: int) -> str:
    """A user's text, or the name of a network, on one line of at most ``limit`` letters."""
    line = _PERCENT.sub(NO_BREAK, _SPACE.sub(" ", source_text(str(text)))).strip() or "(no name)"
    if len(line) <= limit:
        return line
    cut, whole = line[: limit - 1], line[:limit].rpartition(" ")[0]
    return (whole if len(whole) > limit * 2 / 3 else cut).rstrip(" ,;:") + "…"


def cell(text: str) -> str:
    """A name in a table that is downloaded, so that no spreadsheet takes it for a formula."""
    return f"'{text}" if text.startswith(FORMULA) else text


def signed(value: float, digits: int = 1) -> str:
    """A number with its sign, the minus sign as typeset, and no sign where it rounds to zero: +1.2, −0.4, 0.0."""
    text = f"{value:+.{digits}f}"
    return text[1:] if float(text) == 0 else text.replace("-", MINUS)


def points(share: float) -> str:
    """A difference of accuracies (0-1) in percentage points: +1.2."""
    return signed(100 * share)


def listed(names: Sequence[str]) -> str:
    """Join names to one phrase: "a", "a and b", "a, b and c"."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def plural(number: int, word: str) -> str:
    """A number with its noun: "1 layer", "2 layers"."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def letter(number: int) -> str:
    """The name of a source that is trained by the run itself: A, B, C, ..."""
    return chr(ord("A") + number)


def sentence(text: str) -> str:
    """``text`` with a capital first letter and a full stop."""
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def progress_sentence(events: Sequence[Event]) -> str:
    """The steps done, and the time left: as the run itself tells, or at its pace so far."""
    progress = newest(events, Progress)
    if progress is None or progress.total <= 0:
        return "Getting ready."
    done = _stage(events) + f"step {progress.step:,} of {progress.total:,}"
    done = done[0].upper() + done[1:]
    left = progress.total - progress.step
    if progress.least is not None and progress.most is not None and (left > 0 or progress.most >= 1):
        return f"{done}, {span_text(progress.least, progress.most)} left."
    if not progress.step or left <= 0 or not progress.seconds:
        return f"{done}."
    return f"{done}, about {_duration(left * progress.seconds / progress.step)} left."


def steps_done(events: Sequence[Event]) -> str:
    """The steps done of all, and once these are all, the stages that they were; empty before the first."""
    progress = newest(events, Progress)
    if progress is None:
        return ""
    stages = len({event.stage for event in events if isinstance(event, Stage)})
    whole = stages > 1 and progress.step == progress.total and progress.total % stages == 0
    each = f" ({stages} stages of {progress.total // stages:,})" if whole else ""
    return f"{progress.step:,} of {progress.total:,} steps{each}"


def _stage(events: Sequence[Event]) -> str:
    """The stage of a run with several; a run that was resumed may have told of one stage twice."""
    stages = [event for event in events if isinstance(event, Stage)]
    if not stages or stages[-1].stages < 2:
        return ""
    return f"stage {len({stage.stage for stage in stages})} of {stages[-1].stages}, "


def span_text(least: float, most: float) -> str:
    """A time that lies between two, in seconds: "about 2 min", "2 to 5 min" where they are far apart, "up to 5 min"."""
    if most <= NEAR * least or most < MOMENT:
        return f"about {_duration((least + most) / 2)}"
    high = _duration(most)
    low = _duration(least) if most < MINUTES else f"{round(least / 60)}{NO_BREAK}min" if most < HOURS else _hours(least)
    if low.partition(NO_BREAK)[0] in ("0", "0.0"):
        return f"up to {high}"
    return f"about {high}" if low == high else range_text(low, high)


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:.1f}{NO_BREAK}h"


def _duration(seconds: float) -> str:
    if seconds < MINUTES:
        return f"{max(1, round(seconds))}{NO_BREAK}s"
    minutes = round(seconds / 60)
    return f"{minutes}{NO_BREAK}min" if seconds < HOURS else _hours(seconds)
