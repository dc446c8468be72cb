"""Data come in through a process of its own, from the real files to the one that is kept; whatever happens to it."""

import gzip
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from softmerge_core.data import data_facts, data_files, load_data_file
from softmerge_core.data.forms import forms
from softmerge_core.data.forms.originals import MIRROR
from softmerge_core.data.importing import Wishes, bringing, import_data
from softmerge_core.errors import DataError
from tests.data.originals import DEBIAN, IDX, idx_files, image_files, write_all

pytestmark = [pytest.mark.timeout(600), pytest.mark.usefixtures("warm_python")]  # torch, on a busy machine
PYTHON = sys.executable  # as it is without that


def fashion(folder: Path, *, packed: bool) -> Path:
    """FashionMNIST as it is on disks: the real one where it is installed, else small files of the same format."""
    if not DEBIAN.is_dir():
        return write_all(folder, idx_files(), packed=packed)
    if packed:
        return DEBIAN
    return write_all(folder, {name: gzip.decompress((DEBIAN / f"{name}.gz").read_bytes()) for name in IDX})


def test_fashionmnist_goes_through_the_same_door_packed_and_unpacked(tmp_path: Path) -> None:
    told: list[str] = []
    paths = [
        import_data(
            forms()["fashion_mnist"], fashion(tmp_path / "plain", packed=packed), Wishes(samples=140), "clothes",
            called="clothes", tell=lambda said, share: told.append(said),
        )
        for packed in (True, False)
    ]  # fmt: skip
    assert paths[0] == paths[1] == data_files()[0]
    facts = data_facts(paths[0])
    assert (facts.input_shape, sum(facts.samples.values()), facts.class_names[9]) == ((1, 28, 28), 140, "Ankle boot")
    assert "Reading train-images-idx3-ubyte" in told
    assert "Checking the data file" in told
    data = load_data_file(paths[0])
    assert abs(float(data.train_inputs.mean())) < 1e-4
    assert sorted(path.suffix for path in paths[0].parent.iterdir()) == [".facts", ".labels", ".npz", ".preview"]


def test_images_and_tables_come_in_from_archives(tmp_path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "pets.zip", "w") as archive:
        for name, content in image_files(each=12).items():
            archive.writestr(f"pets/{name}", content)
        archive.writestr("pets/readme.txt", "not a picture")
    facts = data_facts(import_data(forms()["images"], tmp_path / "pets.zip", Wishes(), "pets"))
    assert (facts.class_names, facts.input_shape) == (("cat", "dog"), (1, 12, 12))
    assert sum(facts.samples.values()) == 24


def test_a_refusal_is_told_in_the_childs_words_and_leaves_nothing(tmp_path: Path, home_folder: Path) -> None:
    write_all(tmp_path / "mine", {"notes.txt": b"nothing"})
    with pytest.raises(DataError, match=r"^my upload: no file 'train-images-idx3-ubyte' of MNIST"):
        import_data(forms()["mnist"], tmp_path / "mine", Wishes(), "x", called="my upload")
    assert list((home_folder / "data").iterdir()) == []


def test_a_refused_connection_says_what_to_put_where(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MIRROR, "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with pytest.raises(DataError, match=r"^SVHN could not be downloaded \(.*refused\).* test_32x32\.mat"):
        import_data(forms()["svhn"], None, Wishes(), "x")


class Stub:
    """What stands in for the child: a program of a few lines."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, program: str) -> None:
        usual = subprocess.Popen

        def start(command: list[str], **options: Any) -> Any:
            return usual([PYTHON, "-c", program], **options)

        monkeypatch.setattr(bringing.subprocess, "Popen", start)


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("import os; os.kill(os.getpid(), 9)", "takes more memory or time to read than is allowed; take fewer samples"),
        ("raise SystemExit(3)", "takes more memory or time"),
        ("print('no JSON')", "could not be brought in"),
        ("pass", "takes more memory or time"),
    ],
)
def test_a_child_that_dies_is_a_typed_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, message: str
) -> None:
    Stub(monkeypatch, program)
    with pytest.raises(DataError, match=message):
        import_data(forms()["csv"], tmp_path, Wishes(), "x")


def test_a_child_that_takes_too_long_or_is_stopped_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Stub(monkeypatch, "import time; time.sleep(1000)")
    stop = threading.Event()
    stop.set()
    with pytest.raises(DataError, match="stopped"):
        import_data(forms()["csv"], tmp_path, Wishes(), "x", stop=stop)
    monkeypatch.setattr(bringing, "SECONDS", 0.1)
    with pytest.raises(DataError, match="took longer than 0 s"):
        import_data(forms()["csv"], tmp_path, Wishes(), "x")


def test_what_listens_may_break_off_and_no_child_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Stub(monkeypatch, f"import os,time; open({str(tmp_path / 'pid')!r},'w').write(str(os.getpid())); "
         "print('{\"doing\": \"x\", \"share\": null}', flush=True); time.sleep(1000)")  # fmt: skip

    def leave(said: str, share: float | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_data(forms()["csv"], tmp_path, Wishes(), "x", tell=leave)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


@pytest.mark.skipif(sys.platform != "linux", reason="there are such limits only on Linux")
def test_a_table_that_takes_too_much_memory_is_refused_and_nobody_else_suffers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOFTMERGE_DATA_BYTES", "2_000_000")
    (tmp_path / "big.csv").write_bytes(b"1,2,3,4,5,6,7,8,9,0\n" * 99_000)
    with pytest.raises(DataError, match=r"SOFTMERGE_DATA_BYTES"):
        import_data(forms()["csv"], tmp_path / "big.csv", Wishes(), "x")


def test_cifar_sized_images_fit_and_larger_sets_say_so(tmp_path: Path) -> None:
    """60,000 samples of 3 x 32 x 32 are within the usual limit; SVHN's 99,289 are not, and a subset is advised."""
    from softmerge_core.data.forms import Asked
    from softmerge_core.data.importing.making import _check_size

    def picks(count: int) -> dict[str, tuple[str, np.ndarray]]:
        return {"train": ("train", np.arange(count))}

    _check_size(picks(60_000), (3, 32, 32), Asked(tmp_path, "CIFAR-10"))
    with pytest.raises(DataError, match=r"take at most 87,3.., or raise the limit"):
        _check_size(picks(99_289), (3, 32, 32), Asked(tmp_path, "SVHN"))
