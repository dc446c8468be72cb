"""What the networks of a merge predict for the test samples, as a run keeps it. Loads torch."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from softmerge_core.experiments.merge.predictions import FIRST, MOST_SAMPLES, SURE, kept_sources


def predictions(
    outputs: Mapping[str, Tensor], sources: Sequence[Tensor], labels: Tensor, best: int
) -> dict[str, Tensor]:
    """The tensors that are kept: see ``merge.predictions``.

    ``outputs``: by name, logits or log-probabilities [N, classes] of the networks of FIRST; ``sources``: of each
    source; ``best``: the position of the best one.
    """
    kept = kept_sources(len(sources), min(len(labels), MOST_SAMPLES), best)
    rows = [*(outputs[name] for name in FIRST), *(sources[place] for place in kept)]
    sure, decided = zip(*(_answers(row[:MOST_SAMPLES]) for row in rows), strict=True)
    number = _smallest(rows[0].shape[1])
    return {
        "labels": labels[:MOST_SAMPLES].to(number),
        "classes": torch.stack(decided).to(number),
        "confidence": torch.stack(sure),
        "sources": torch.tensor(kept, dtype=torch.int32),
    }


def _answers(outputs: Tensor) -> tuple[Tensor, Tensor]:
    """(confidence, class) of each row [N, classes]; the class is that by which accuracies are measured."""
    decided = outputs.argmax(1)
    sure = outputs.double().softmax(1).gather(1, decided[:, None])[:, 0]
    whole = (sure * SURE).round().nan_to_num(-1.0).to(torch.int16)
    return whole, decided


def _smallest(classes: int) -> torch.dtype:
    """The smallest type that holds the numbers of so many classes."""
    return torch.uint8 if classes <= 2**8 else torch.int16 if classes <= 2**15 else torch.int32
