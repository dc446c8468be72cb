"""What one may wish for when data are brought in; forms on pages and options of the command line are made of it."""

from softmerge_core.settings import Settings, setting


class Wishes(Settings):
    """How many samples are taken, how they are divided, and how a form is read."""

    samples: int | None = setting(
        None, "Samples", "Take so many samples in all, of each class its share; empty takes all.", ge=2, le=10**9
    )
    validation: float = setting(
        0.1,
        "Validation share",
        "The share of training samples that is split off for validation, and for testing where there is no test set.",
        ge=0.01,
        le=0.45,
    )
    seed: int = setting(0, "Seed", "Fixes which samples are taken and how they are divided.", ge=0, le=2**31 - 1)
    label: str = setting("", "Label column", "A table's column of labels, by name or number; empty means the last.")
    size: int = setting(
        0, "Picture size", "Pixels along each side; 0 keeps small pictures of one size and makes others 32.",
        ge=0, le=512,
    )  # fmt: skip
