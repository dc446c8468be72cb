"""Data are brought in beside the page: the work goes on whatever its reader clicks, and its progress is looked at."""

import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pages.shared.choose.zoo_command import one_of_few
from softmerge_core.data import keep_data_file
from softmerge_core.data.forms import Form
from softmerge_core.data.importing import Wishes, import_data
from softmerge_core.errors import SoftMergeError, short
from softmerge_core.zoo import slug

File = tuple[str, bytes]  # name, content


@dataclass
class Job:
    """One import: what it is doing (``said``, ``share`` of it), and what came of it: a ``path`` or a ``problem``."""

    title: str
    said: str = "Starting"
    share: float | None = None
    path: str = ""
    problem: str = ""
    stop: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None

    def tell(self, said: str, share: float | None) -> None:
        """Note what is being done."""
        self.said, self.share = said, share

    @property
    def running(self) -> bool:
        """Whether the work goes on."""
        return self.thread is not None and self.thread.is_alive()


def start(form: Form | None, place: Path | None, files: Sequence[File], wishes: Wishes, name: str) -> Job:
    """Begin to bring data in: ``files``, or what lies at ``place``, or where both are missing, a download.

    Without a ``form`` the one file is a data file already.
    """
    own = Path(files[0][0]).stem if len(files) == 1 else ""
    if form is not None and not own:
        own = form.title if form.fetch or place is None else place.stem
    title = name or own or "data"
    job = Job(title=short(title))
    job.thread = threading.Thread(target=_work, args=(job, form, place, files, wishes), daemon=True)
    job.thread.start()
    return job


def _work(job: Job, form: Form | None, place: Path | None, files: Sequence[File], wishes: Wishes) -> None:
    try:
        with one_of_few(), tempfile.TemporaryDirectory(prefix="softmerge-") as folder:
            job.path = str(_brought(job, form, place, files, wishes, Path(folder)))
    except SoftMergeError as error:
        job.problem = str(error)
    except OSError as error:
        job.problem = f"{job.title}: could not be kept ({error.strerror or error})"


def _brought(
    job: Job, form: Form | None, place: Path | None, files: Sequence[File], wishes: Wishes, folder: Path
) -> Path:
    stem = slug(job.title, "data")
    if form is None:
        name, content = files[0]
        return keep_data_file(content, name, stem)
    called = ""
    for number, (name, content) in enumerate(files):
        called = short(name) if len(files) == 1 else f"the {len(files)} files"
        path = folder / (_own_name(name) or str(number))
        path.write_bytes(content)
        place = path if len(files) == 1 else folder
    return import_data(form, place, wishes, stem, called=called, tell=job.tell, stop=job.stop)


def _own_name(name: str) -> str:
    """The name of an uploaded file, as a file here may be called."""
    last = name.replace("\\", "/").rpartition("/")[2]
    kept = "".join(letter for letter in last if letter.isalnum() or letter in "-_. ").lstrip(". ")
    return kept[-100:].strip()
