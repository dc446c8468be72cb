"""Damaged and hostile bundles: each is refused in a sentence that names the file, and nothing of it is kept."""

import io
import json
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softmerge_core.errors import BundleError
from softmerge_core.export.bundle import manifest as known
from softmerge_core.export.bundle.bringing import bring_in
from softmerge_core.export.bundle.packing import pack
from softmerge_core.export.bundle.unpacking import unpack
from softmerge_core.runs import RunStore, files
from softmerge_core.runs.store import EXAMPLES
from tests.mutations import mutated

TENSOR = json.dumps({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
WEIGHTS = len(TENSOR).to_bytes(8, "little") + TENSOR + bytes(8)
KEPT = "run/weights/kept.safetensors"
Members = dict[str, bytes]
CALLED = "stranger.zip"


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A whole bundle, of a recorded run with small weights beside it."""
    root = tmp_path_factory.mktemp("sound")
    shutil.copytree(EXAMPLES / "first-federation", root / "federation")
    (root / "federation" / files.WEIGHTS).mkdir()
    (root / "federation" / files.WEIGHTS / "kept.safetensors").write_bytes(WEIGHTS)
    pack(root / "federation", "federation", root / "it.zip")
    return (root / "it.zip").read_bytes()


def opened(content: bytes) -> Members:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def closed(members: Mapping[str, bytes], **fields: Any) -> bytes:
    """An archive of these files, whose manifest tells of them as they are now, with ``fields`` changed."""
    told = json.loads(members[known.MANIFEST])
    entries = {name: known.entry_of(what) for name, what in members.items() if name != known.MANIFEST}
    told |= {"files": {name: entry.model_dump() for name, entry in entries.items()}, "digest": known.digest(entries)}
    return archived({**members, known.MANIFEST: json.dumps(told | fields).encode()})


def archived(members: Mapping[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, what in members.items():
            archive.writestr(name, what)
    return made.getvalue()


def read(content: bytes) -> known.Manifest:
    """The manifest of a bundle with this content; nothing may be written outside the folder given for it."""
    with tempfile.TemporaryDirectory() as place:
        path, folder = Path(place) / CALLED, Path(place) / "in" / "here"
        path.write_bytes(content)
        folder.mkdir(parents=True)
        try:
            return unpack(path, CALLED, folder)
        finally:
            assert {each.name for each in Path(place).iterdir()} == {CALLED, "in"}
            assert [each.name for each in (Path(place) / "in").iterdir()] == ["here"]


def test_a_sound_bundle_is_read_also_when_it_was_packed_again_by_hand(sound: bytes) -> None:
    assert read(sound).kind == "federated"
    members = opened(sound)
    inside = {f"my run/{name}": what for name, what in members.items()} | {"__MACOSX/my run/._x": b"x"}
    assert read(archived(inside)).digest == read(closed(members)).digest


def changed(name: str, what: bytes) -> Callable[[Members], bytes]:
    return lambda members: closed({**members, name: what})


def without(name: str) -> Callable[[Members], bytes]:
    return lambda members: closed({other: what for other, what in members.items() if other != name})


def foreign(name: str) -> Callable[[Members], bytes]:
    return lambda members: archived({**members, name: b"x"})


def _linked(members: Members) -> bytes:
    made = io.BytesIO(archived(members))
    with zipfile.ZipFile(made, "a") as archive:
        info = zipfile.ZipInfo("tables/link.csv")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    return made.getvalue()


def _doubled(members: Members) -> bytes:
    made = io.BytesIO(archived(members))
    with zipfile.ZipFile(made, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("run/spec.json", b"{}")
    return made.getvalue()


def _bomb(members: Members) -> bytes:
    """Ten megabytes of zeros where the manifest tells of ten bytes."""
    entries = {name: known.entry_of(what) for name, what in members.items() if name != known.MANIFEST}
    entries["tables/bomb.csv"] = known.Entry(size=10, sha256="0" * 64)
    told = json.loads(members[known.MANIFEST]) | {
        "files": {name: entry.model_dump() for name, entry in entries.items()}
    }
    return archived({**members, known.MANIFEST: json.dumps(told).encode(), "tables/bomb.csv": bytes(10 * 2**20)})


def _huge(members: Members) -> bytes:
    told = json.loads(members[known.MANIFEST])
    told["files"]["run/events.jsonl"]["size"] = 2**40
    return archived({**members, known.MANIFEST: json.dumps(told).encode()})


CASES: dict[str, tuple[Callable[[Members], bytes], str]] = {
    "nothing": (lambda members: b"", "expected a bundle"),
    "a web page": (lambda members: b"<!doctype html><html>", "expected a bundle"),
    "another archive": (lambda members: archived({"a.txt": b"x"}), "no bundle.json"),
    "a newer format": (lambda members: closed(members, format=99), "newer version"),
    "no format": (lambda members: closed(members, format="1"), "expected a format"),
    "unknown fields": (lambda members: closed(members, more=1), "is damaged"),
    "an endless name": (lambda members: closed(members, name="x" * 10**6), "is damaged"),
    "another digest": (lambda members: closed(members, digest="0" * 64), "digest"),
    "a changed file": (lambda members: archived({**members, "run/result.json": b"{}"}), "got 2"),
    "another hash": (lambda members: archived({**members, KEPT: WEIGHTS[:-1] + b"x"}), "SHA-256"),
    "a lost file": (
        lambda members: archived({name: what for name, what in members.items() if name != KEPT}), "is missing",
    ),
    "no spec": (without("run/spec.json"), "expected run/spec.json"),
    "no end": (without("run/end.json"), "expected run/end.json"),
    "a way out": (foreign("../../out.txt"), "refused"),
    "a way to the root": (foreign("/tmp/out.txt"), "refused"),
    "a drive": (foreign("C:\\out.txt"), "refused"),
    "an owner": (changed("run/owner.json", b'{"owner": "me"}'), "refused"),
    "a snapshot": (changed("run/snapshot.bin", b"x"), "refused"),
    "a program": (changed("models/x/model.py", b"x"), "refused"),
    "a link": (_linked, "link"),
    "a name twice": (_doubled, "one name"),
    "names that differ in case": (changed("tables/NUMBERS.csv", b"x"), "one name"),
    "more than it says": (_bomb, "got more"),
    "a terabyte": (_huge, "at most"),
    "many files": (lambda members: archived(members | {f"tables/{n}.csv": b"" for n in range(2100)}), "at most 2,000"),
    "another kind": (lambda members: closed(members, kind="merge"), "expected a merge"),
    "an unknown kind": (changed("run/spec.json", b'{"kind": "none"}'), "unknown experiment"),
    "a spec of no sense": (changed("run/spec.json", b"[1]"), "JSON object"),
    "a deep spec": (changed("run/spec.json", b"[" * 100_000), "damaged"),
    "a run that has not ended": (changed("run/end.json", b'{"status": "running", "attempt": 1}'), "unknown status"),
    "a date that is none": (changed("run/manifest.json", b'{"version": 1, "created": "now"}'), "not a date"),
    "a result of another kind": (changed("run/result.json", b'{"seconds": "long"}'), "does not hold"),
    "a header of nonsense": (changed(KEPT, (2**63).to_bytes(8, "little") + bytes(8)), "header"),
    "tensors beyond the file": (changed(KEPT, WEIGHTS[:-4]), "not fully covered"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_is_no_sound_bundle_is_refused_by_its_name(sound: bytes, case: str) -> None:
    make, said = CASES[case]
    with pytest.raises(BundleError) as refused:
        read(make(opened(sound)))
    assert str(refused.value).startswith(f"{CALLED}: ")
    assert said in str(refused.value)


def refusal(content: bytes) -> str:
    """Why a bundle is refused; "" where it is not."""
    try:
        read(content)
    except BundleError as error:
        return str(error)
    return ""


@settings(max_examples=150)
@given(seed=st.integers(0, 2**32))
def test_a_damaged_archive_raises_nothing_but_bundle_errors(sound: bytes, seed: int) -> None:
    told = refusal(mutated(sound, seed))
    assert not told or told.startswith(CALLED)


@settings(max_examples=80)
@given(seed=st.integers(0, 2**32), name=st.sampled_from(["run/spec.json", "run/result.json", "run/end.json", KEPT]))
def test_damaged_files_with_the_right_hashes_raise_nothing_else(sound: bytes, seed: int, name: str) -> None:
    members = opened(sound)
    told = refusal(closed({**members, name: mutated(members[name], seed)}))
    assert not told or told.startswith(CALLED)


def test_nothing_is_kept_of_a_refused_bundle_and_a_sound_one_comes_once(sound: bytes, tmp_path: Path) -> None:
    store, path = RunStore(), tmp_path / "it.zip"
    path.write_bytes(closed(opened(sound), format=99))
    with pytest.raises(BundleError, match="newer"):
        bring_in(path, CALLED, store)
    assert list(store.root.iterdir()) == []
    path.write_bytes(closed(opened(sound), created="now", run="../../x", name="<b>"))
    first, second = bring_in(path, CALLED, store), bring_in(path, CALLED, store)
    assert (first.there, second.there) == (False, True)
    assert first.run_id == second.run_id
    assert [run.id for run in store.list()] == [first.run_id]
