"""How numbers and lists read in a sentence. What comes out is plain text: a page makes it safe for its markup."""

import math
from collections.abc import Sequence

from softmerge_core.events import Event, Progress


def percent(share: float | None) -> str:
    """An accuracy (0-1) in percent, one decimal."""
    return "unknown" if share is None or not math.isfinite(share) else f"{100 * share:.1f} %"


def signed(value: float, digits: int = 1) -> str:
    """A number with its sign, the minus sign as typeset, and no sign where it rounds to zero: +1.2, −0.4, 0.0."""
    text = f"{value:+.{digits}f}"
    return text[1:] if float(text) == 0 else text.replace("-", "−")


def points(share: float) -> str:
    """A difference of accuracies (0-1) in percentage points: +1.2."""
    return signed(100 * share)


def listed(names: Sequence[str]) -> str:
    """The names in one phrase: "a", "a and b", "a, b and c"."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def plural(number: int, word: str) -> str:
    """A number and what is counted: "1 layer", "2 layers"."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def sentence(text: str) -> str:
    """``text`` with a capital first letter and a full stop."""
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def progress_sentence(events: Sequence[Event]) -> str:
    """Steps done and, from the pace of the whole run so far, about how long is left."""
    progress = next((event for event in reversed(events) if isinstance(event, Progress)), None)
    if progress is None or progress.total <= 0:
        return "Getting ready."
    done = f"Step {progress.step:,} of {progress.total:,}"
    left = progress.total - progress.step
    if not progress.step or left <= 0 or not progress.seconds:
        return f"{done}."
    return f"{done}, about {_duration(left * progress.seconds / progress.step)} left."


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes / 60:.1f} h"
