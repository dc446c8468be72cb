"""MNIST and its kin: four files in the IDX format, packed or not.

MNIST (LeCun et al. 1998), FashionMNIST (Xiao et al. 2017, arXiv 1708.07747), KMNIST (Clanuwat et al. 2018, arXiv
1812.01718).
"""

from functools import partial
from pathlib import Path

from softmerge_core.data.forms.base import Asked, Form, Raw
from softmerge_core.data.forms.originals import dataset_class, fetched, gather, mirrored, opened, part

FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


def read(title: str, source: Path, asked: Asked) -> Raw:
    """Return images uint8 [N, 1, 28, 28] and labels; the files lie in ``source``, in its raw/ or in its TITLE/raw/."""
    cls = dataset_class(title)
    gather(source, ("", "raw", f"{title}/raw"), FILES, asked.scratch / title / "raw", asked, title)
    train, test = (opened(cls, asked.scratch, asked, train=train) for train in (True, False))
    parts = [part(split.data.numpy()[:, None], split.targets.numpy(), asked.called) for split in (train, test)]
    return Raw(parts[0], tuple(cls.classes), test=parts[1])


def fetch(title: str, folder: Path) -> None:
    """Download the files into TITLE/raw/ of ``folder``; torchvision compares their checksums."""
    cls = mirrored(dataset_class(title), lambda mirror: {"mirrors": [mirror]})
    fetched(title, [f"{name}.gz" for name in FILES], lambda: cls(root=str(folder), download=True))


def _form(name: str, title: str, about: str, megabytes: int, *places: str) -> Form:
    return Form(
        name=name,
        title=title,
        about=f"{about} A folder with {', '.join(FILES)}, each as it is or as .gz.",
        takes="folder",
        read=partial(read, title),
        fetch=partial(fetch, title),
        megabytes=megabytes,
        suffixes=("gz", "zip"),
        loads=("torchvision.datasets",),
        places=places,
    )


FORM = (
    _form("mnist", "MNIST", "Handwritten digits.", 67),
    _form("fashion_mnist", "FashionMNIST", "Clothes.", 86, "/usr/share/datasets/fashion-mnist"),  # Debian's package
    _form("kmnist", "KMNIST", "Cursive Japanese letters.", 76),
)
