"""SVHN (Netzer et al. 2011): house numbers as colour photographs, published as two MATLAB files.

SciPy's reader of such files can crash on damaged ones. torchvision hands it only files whose MD5 checksum is the one in
its own code; ``read`` refuses a class that lacks it, for torchvision takes a missing checksum as passed.
"""

from pathlib import Path

from softmerge_core.data.forms.base import Asked, Form, Raw
from softmerge_core.data.forms.originals import (
    check_sums,
    dataset_class,
    discard,
    fetched,
    gather,
    mirrored,
    opened,
    part,
)

SPLITS = ("train", "test")
FILES = ("train_32x32.mat", "test_32x32.mat")


def read(source: Path, asked: Asked) -> Raw:
    """Return images uint8 [N, 3, 32, 32] and labels 0-9; torchvision compares the files' checksums before it reads."""
    cls = dataset_class("SVHN")
    check_sums(cls, {cls.split_list[split][1]: cls.split_list[split][2] for split in SPLITS})
    gather(source, ("", "SVHN"), FILES, asked.scratch / "SVHN", asked, "SVHN")
    found = [opened(cls, asked.scratch / "SVHN", asked, split=split) for split in SPLITS]
    train, test = (part(split.data, split.labels, asked.called) for split in found)
    discard(asked.scratch / "SVHN")
    return Raw(train, tuple(map(str, range(10))), test=test)


def fetch(folder: Path) -> None:
    """Download both files into ``folder``."""
    lists = dataset_class("SVHN").split_list
    cls = mirrored(
        dataset_class("SVHN"),
        lambda mirror: {"split_list": {split: [mirror + name, name, md5] for split, (_, name, md5) in lists.items()}},
    )
    fetched("SVHN", FILES, lambda: [cls(root=str(folder), split=split, download=True) for split in SPLITS])


FORM = Form(
    name="svhn",
    title="SVHN",
    about=f"House numbers, 32 x 32 pixels. A folder with {' and '.join(FILES)}.",
    takes="folder",
    read=read,
    fetch=fetch,
    megabytes=246,
    suffixes=("mat", "zip"),
    loads=("torchvision.datasets", "scipy.io"),
)
