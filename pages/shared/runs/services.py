"""What all sessions of this server share: the store of runs and the runner with its warm workers."""

import contextlib
import hashlib
import os
import secrets
import threading
from functools import cache, lru_cache
from pathlib import Path

import streamlit as st

from pages.shared.runs.reader import LIVE
from softmerge_core.devices import DEVICES
from softmerge_core.errors import SoftMergeError
from softmerge_core.home import home
from softmerge_core.runs import Runner, RunStore, RunView
from softmerge_core.runs.index import RunIndex
from softmerge_core.runs.labels import read_owner, write_owner
from softmerge_core.runs.store import folders, read_spec
from softmerge_core.runs.sweeps import is_point

SCHEDULER = "DASK_SCHEDULER_ADDRESS"  # Dask's own name for the scheduler to use instead of workers of our own
_ONE = threading.Lock()  # two first readers at once must not start two sets of workers
COOKIE = "_streamlit_xsrf"
_STARTED: dict[str, str] = {}  # run -> visitor
_OWNERS: set[str] = set()  # visitors who have shown the owner's token
TOKEN = "SOFTMERGE_OWNER_TOKEN"  # by default a new one at each start
RECENT = 50  # runs looked through for one that is live


@cache
def _store(folder: str) -> RunStore:
    return RunStore(Path(folder) / "runs")


@cache
def _runner(folder: str, scheduler: str | None) -> Runner:
    return Runner(_store(folder), scheduler)


def run_store() -> RunStore:
    """The runs in the reader's home folder."""
    return _store(str(home()))


@cache
def _index(folder: str) -> RunIndex:
    return RunIndex(Path(folder) / "runs")


def run_index() -> RunIndex:
    """The index of the runs in the reader's home folder."""
    return _index(str(home()))


def runner() -> Runner:
    """The one runner of this server; the first call starts its workers without waiting for them."""
    with _ONE:
        return _runner(str(home()), os.environ.get(SCHEDULER) or None)


def warm_up() -> None:
    """Start what the first run will need."""
    runner()


def devices_offered() -> list[str]:
    """What a run can compute on: what the workers have told, or whatever there may be until they have."""
    return list(dict.fromkeys(("auto", "cpu", *(runner().devices() or DEVICES))))


def newest_runs(kind: str, most: int) -> list[str]:
    """The ids of the newest readable runs of a kind: their names begin with the time they were made."""
    store = run_store()
    found: list[str] = []
    for name in reversed([folder.name for folder in folders(store.root)]):
        if len(found) == most:
            break
        if _is_of(name, kind) and not is_point(store.root / name):  # those of a sweep have a page of their own
            found.append(name)
    return found


@lru_cache(maxsize=10_000)  # pages ask at every step of a reader; a run keeps its spec
def _kind(folder: Path) -> str:
    return read_spec(folder).kind


def newest_live(kind: str, *, own: bool = False) -> str | None:
    """The newest run of a kind that is not at its end, looked for among the newest; ``own``: of this visitor's."""
    store = run_store()
    resumed = [run_id for run_id in list(_STARTED) if _is_of(run_id, kind)]  # which had ended before
    for run_id in sorted({*run_index().unended(kind, RECENT), *resumed}, reverse=True):
        with contextlib.suppress(SoftMergeError):  # a damaged run says so where it is opened
            if (not own or started_here(run_id)) and store.status(run_id).status in LIVE:
                return run_id
    return None


def _is_of(run_id: str, kind: str) -> bool:
    try:
        return _kind(run_store().folder(run_id)) == kind
    except SoftMergeError:
        return False  # no run, a damaged one, which the store sets apart, or one that was deleted meanwhile


def visitor() -> str:
    """Who looks at the page: the same in all tabs of a browser and after a reload, another in every other browser.

    It is made of the random cookie by which Streamlit knows a browser (2|mask|masked value|time, in hex); without a
    cookie every session is a visitor of its own.
    """
    if "visitor" not in st.session_state:
        parts = str(st.context.cookies.get(COOKIE, "")).split("|")
        try:
            mask, masked = (bytes.fromhex(part) for part in parts[1:3])
            value = bytes(one ^ mask[place % len(mask)] for place, one in enumerate(masked))
        except (ValueError, ZeroDivisionError):
            value = secrets.token_bytes(16)
        st.session_state["visitor"] = hashlib.sha256(value or secrets.token_bytes(16)).hexdigest()
    return str(st.session_state["visitor"])


def remember_start(run_id: str) -> None:
    """Remember that this visitor started the run or made it go on; the run's folder says so after a restart."""
    _STARTED[run_id] = visitor()
    with contextlib.suppress(SoftMergeError):
        write_owner(run_store().folder(run_id), visitor())


def starter(run_id: str) -> str | None:
    """Who started the run; None where nobody knows, as of one of the command line."""
    if run_id not in _STARTED:
        with contextlib.suppress(SoftMergeError):
            if known := read_owner(run_store().folder(run_id)):
                _STARTED[run_id] = known
    return _STARTED.get(run_id)


def started_here(run_id: str) -> bool:
    """Whether this visitor started the run, or may do with every run as with their own."""
    return is_owner() or starter(run_id) == visitor()


def may_change(run_id: str) -> bool:
    """Whether this visitor may delete a run or let it go on: their own, or one of which nobody knows who started it."""
    return starter(run_id) is None or started_here(run_id)


@cache
def owner_token() -> str:
    """The words that make their visitor the owner of all runs; told at the start of the server."""
    return os.environ.get(TOKEN) or secrets.token_urlsafe(9)


def is_owner() -> bool:
    """Whether this visitor has shown the owner's token."""
    return visitor() in _OWNERS


def become_owner(token: str) -> bool:
    """Let this visitor do with every run as with their own; False where the token is another one."""
    right = secrets.compare_digest(token.strip().encode(), owner_token().encode())
    if right:
        _OWNERS.add(visitor())
    return right


def first_example(kind: str) -> str | None:
    """The first recorded run of a kind that ships with the project."""
    return next((run.id for run in run_store().examples() if run.kind == kind), None)


def is_live(view: RunView | None) -> bool:
    """Whether the run may still change by itself."""
    return view is not None and view.status in LIVE
