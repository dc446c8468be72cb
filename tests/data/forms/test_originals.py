"""Known data sets in their authors' formats, read by torchvision's classes from wherever their files lie."""

import http.server
import pickle
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torchvision.datasets

from softmerge_core.data.forms import Asked, Raw, form_called, forms
from softmerge_core.data.forms.originals import MIRROR
from softmerge_core.data.importing import places
from softmerge_core.errors import DataError, NotFoundError
from tests.data import originals
from tests.data.originals import (
    DEBIAN,
    believe_cifar,
    believe_svhn,
    cifar_files,
    drawn,
    idx,
    idx_files,
    needs_debian,
    sums_of,
    svhn_files,
    tarred,
    write_all,
)

LAYOUTS = ("", "raw", "FashionMNIST/raw")
CIFAR10 = torchvision.datasets.CIFAR10


def read(form: str, source: Path, tmp_path: Path) -> Raw:
    scratch = tmp_path / "scratch"
    scratch.mkdir(exist_ok=True)
    return forms()[form].read(source, Asked(scratch, "mine"))


def all_inputs(part: Any) -> np.ndarray:
    return part.inputs(np.arange(len(part.labels)))  # type: ignore[no-any-return]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_idx_files_are_read_packed_or_not_in_every_layout(tmp_path: Path, layout: str, packed: bool) -> None:
    write_all(tmp_path / "mine" / layout, idx_files(), packed=packed)
    raw = read("fashion_mnist", tmp_path / "mine", tmp_path)
    images, labels = drawn(120, (28, 28))
    assert np.array_equal(all_inputs(raw.train)[:, 0], images)
    assert np.array_equal(raw.train.labels, labels)
    assert raw.test is not None
    assert (raw.train.shape, len(raw.test.labels), raw.class_names[8]) == ((1, 28, 28), 40, "Bag")
    assert sorted(path.name for path in (tmp_path / "mine" / layout).iterdir())[0].startswith("t10k-images")


@needs_debian
def test_the_real_fashionmnist_is_read_where_debian_keeps_it(tmp_path: Path) -> None:
    assert places.found_place(form_called("FashionMNIST")) == DEBIAN
    raw = read("fashion_mnist", DEBIAN, tmp_path)
    assert raw.test is not None
    assert (len(raw.train.labels), len(raw.test.labels)) == (60_000, 10_000)
    assert np.bincount(raw.train.labels).tolist() == [6000] * 10
    assert all_inputs(raw.train).mean() == pytest.approx(72.94, abs=0.01)  # as published: .2860 of 255


def test_a_missing_file_is_named_with_all_that_are_expected(tmp_path: Path) -> None:
    files = idx_files()
    del files["t10k-labels-idx1-ubyte"]
    with pytest.raises(DataError, match=r"^mine: no file 't10k-labels-idx1-ubyte' of KMNIST .*train-im.* folder"):
        read("kmnist", write_all(tmp_path / "mine", files), tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("train-images-idx3-ubyte", b"<html>not found</html>", "mine: expected the original files of MNIST, got"),
        ("train-images-idx3-ubyte", idx(drawn(120, (28, 28))[0])[:-1], "expected the original files"),
        ("train-labels-idx1-ubyte", idx(drawn(119, (1,))[1]), "as many labels as images, got 119 for 120"),
        ("t10k-images-idx3-ubyte", b"", "expected the original files"),
    ],
)
def test_a_wrong_file_is_told(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    folder = write_all(tmp_path / "mine", {**idx_files(), name: content})
    with pytest.raises(DataError, match=message):
        read("mnist", folder, tmp_path)


def test_half_a_packed_download_is_told(tmp_path: Path) -> None:
    folder = write_all(tmp_path / "mine", idx_files(), packed=True)
    path = folder / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DataError, match=r"mine: train-images-idx3-ubyte\.gz is damaged .* half a download"):
        read("mnist", folder, tmp_path)


def test_a_packed_file_of_gigabytes_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_all(tmp_path / "mine", idx_files(), packed=True)
    monkeypatch.setattr("softmerge_core.data.forms.originals.MAX_BYTES", 1000)
    with pytest.raises(DataError, match=r"holds more than 1,000 bytes; .*SOFTMERGE_DATA_BYTES"):
        read("mnist", folder, tmp_path)


@pytest.mark.parametrize("name", ["CIFAR10", "CIFAR100"])
@pytest.mark.parametrize("way", ["files", "folder", "archive", "archive in a folder"])
def test_cifars_pickles_are_read_by_torchvision(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, way: str
) -> None:
    cls = getattr(torchvision.datasets, name)
    files = cifar_files(cls)
    believe_cifar(monkeypatch.setattr, cls, files)
    archive = tarred(cls.base_folder, files)
    monkeypatch.setattr(cls, "tgz_md5", sums_of({"it": archive})["it"])
    source = tmp_path / "mine"
    if way.startswith("archive"):
        source = write_all(source, {cls.filename: archive}) / ("" if way.endswith("folder") else cls.filename)
    else:
        write_all(source / (cls.base_folder if way == "folder" else ""), files)
    raw = read(name.lower(), source, tmp_path)
    assert raw.train.shape == (3, 32, 32)
    assert raw.class_names[3] == "thing 3"
    first = drawn(60, (3, 32, 32))[0]
    assert np.array_equal(all_inputs(raw.train)[:60], first)
    assert raw.test is not None
    assert raw.test.labels.tolist() == (np.arange(60) % 10).tolist()


class Canary:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def test_a_pickle_that_is_not_the_authors_is_never_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = cifar_files(CIFAR10)
    evil = pickle.dumps({"data": Canary(tmp_path / "canary"), "labels": []}, 2)
    folder = write_all(tmp_path / "mine", {**files, "data_batch_3": evil})
    believe_cifar(monkeypatch.setattr, CIFAR10, files)
    with pytest.raises(DataError, match="Dataset not found or corrupted"):
        read("cifar10", folder, tmp_path)
    assert not (tmp_path / "canary").exists()


def test_even_behind_a_right_checksum_nothing_but_arrays_comes_out_of_a_pickle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evil = pickle.dumps({"data": Canary(tmp_path / "canary"), "labels": []}, 2)
    files = {**cifar_files(CIFAR10), "data_batch_3": evil}
    believe_cifar(monkeypatch.setattr, CIFAR10, files)
    with pytest.raises(DataError, match="would run code"):
        read("cifar10", write_all(tmp_path / "mine", files), tmp_path)
    assert not (tmp_path / "canary").exists()
    assert pickle.loads(pickle.dumps(Path("elsewhere"))) == Path("elsewhere")  # the wall is gone again


@pytest.mark.parametrize("sums", [None, "", "c99cafc1"])
def test_a_class_without_a_checksum_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sums: Any) -> None:
    """With None for a checksum torchvision takes any file."""
    monkeypatch.setattr(CIFAR10, "test_list", [["test_batch", sums]])
    with pytest.raises(DataError, match="no checksum for test_batch"):
        read("cifar10", write_all(tmp_path / "mine", cifar_files(CIFAR10)), tmp_path)


def test_half_an_archive_is_told_and_nothing_is_asked_of_the_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: pytest.fail("the network was asked"))
    folder = write_all(tmp_path / "mine", {CIFAR10.filename: tarred(CIFAR10.base_folder, cifar_files(CIFAR10))[:-50]})
    with pytest.raises(DataError, match=r"mine: cifar-10-python\.tar\.gz is not the original .* download it again"):
        read("cifar10", folder, tmp_path)


def test_svhns_matlab_files_are_read_by_torchvision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = svhn_files()
    believe_svhn(monkeypatch.setattr, torchvision.datasets.SVHN, files)
    raw = read("svhn", write_all(tmp_path / "mine", files), tmp_path)
    images, labels = drawn(120, (32, 32, 3))
    assert np.array_equal(all_inputs(raw.train), images.transpose(0, 3, 1, 2))
    assert np.array_equal(raw.train.labels, labels)  # 10 is the digit 0
    assert raw.class_names == tuple("0123456789")


def test_matlab_files_without_a_checksum_are_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lists = {split: [url, name, None] for split, (url, name, _) in torchvision.datasets.SVHN.split_list.items()}
    monkeypatch.setattr(torchvision.datasets.SVHN, "split_list", lists)
    with pytest.raises(DataError, match="no checksum for train_32x32"):
        read("svhn", write_all(tmp_path / "mine", svhn_files()), tmp_path)


def test_other_matlab_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="Dataset not found or corrupted"):
        read("svhn", write_all(tmp_path / "mine", svhn_files()), tmp_path)


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A server on this machine that hands out the files of a folder, as a mirror."""
    folder = tmp_path / "mirror"
    folder.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(folder))

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv(MIRROR, f"http://127.0.0.1:{server.server_port}/files")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        yield folder / "files"
        server.shutdown()


def test_what_a_mirror_has_is_downloaded_once_and_read(
    tmp_path: Path, mirror: Path, monkeypatch: pytest.MonkeyPatch, home_folder: Path
) -> None:
    write_all(mirror, idx_files(), packed=True)
    sums = sums_of({path.name: path.read_bytes() for path in mirror.iterdir()})
    cls = torchvision.datasets.KMNIST
    monkeypatch.setattr(cls, "resources", [(name, sums[name]) for name, _ in cls.resources])
    form = form_called("KMNIST")
    folder = places.download(form)
    assert folder == places.found_place(form) == home_folder / "downloads" / "kmnist"
    assert len(read("kmnist", folder, tmp_path).train.labels) == 120
    assert [path.name for path in folder.parent.iterdir()] == ["kmnist"]


def test_cifar_and_svhn_are_downloaded_from_a_mirror(
    tmp_path: Path, mirror: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files, houses = cifar_files(CIFAR10), svhn_files()
    believe_cifar(monkeypatch.setattr, CIFAR10, files)
    believe_svhn(monkeypatch.setattr, torchvision.datasets.SVHN, houses)
    archive = tarred(CIFAR10.base_folder, files)
    monkeypatch.setattr(CIFAR10, "tgz_md5", sums_of({"it": archive})["it"])
    write_all(mirror, {CIFAR10.filename: archive, **houses})
    for name in ("cifar10", "svhn"):
        folder = places.download(forms()[name])
        assert len(read(name, folder, tmp_path).train.labels) >= 120
    assert not list((tmp_path / "home").rglob("*.tar.gz"))


@pytest.mark.parametrize("name", ["mnist", "cifar10", "svhn"])
def test_a_download_with_another_checksum_is_refused_and_leaves_nothing(
    mirror: Path, home_folder: Path, name: str
) -> None:
    write_all(mirror, {**svhn_files(), CIFAR10.filename: b"half of it"})
    write_all(mirror, idx_files(), packed=True)
    with pytest.raises(DataError, match=r"could not be downloaded \(.*(corrupted|Error).*put .* into a folder"):
        places.download(forms()[name])
    assert list((home_folder / "downloads").iterdir()) == []


@pytest.mark.parametrize("name", [name for name, form in forms().items() if form.fetch])
def test_without_a_network_it_is_said_what_to_put_where(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(MIRROR, "http://127.0.0.1:9/")  # where nothing listens
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    form = forms()[name]
    with pytest.raises(DataError, match=r"could not be downloaded .*Connection refused.* check the network") as told:
        places.download(form)
    expected = {"cifar10": "cifar-10-python.tar.gz", "cifar100": "cifar-100-python.tar.gz", "svhn": "test_32x32.mat"}
    assert expected.get(name, "train-images-idx3-ubyte.gz") in str(told.value)
    assert MIRROR in str(told.value)


def test_what_is_made_by_hand_is_not_downloaded() -> None:
    with pytest.raises(DataError, match="nothing to download; name the folder"):
        places.download(forms()["images"])


@pytest.mark.parametrize("spelt", ["FashionMNIST", "fashion-mnist", "fashion_mnist", "FASHION MNIST"])
def test_a_form_is_found_however_it_is_spelt(spelt: str) -> None:
    assert form_called(spelt).name == "fashion_mnist"
    assert form_called("CIFAR-10").name == "cifar10"
    with pytest.raises(NotFoundError, match="expected one of: cifar10"):
        form_called("imagenet")


def test_the_small_files_are_of_the_real_format() -> None:
    if DEBIAN.is_dir():
        import gzip

        with gzip.open(DEBIAN / "t10k-labels-idx1-ubyte.gz") as file:
            assert file.read(8)[:4] == originals.idx(np.zeros(3))[:4]
