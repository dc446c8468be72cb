"""The candidates of a merge, all judged on the same validation data, and the choice among them."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from softmerge_core.data.base import MergeData
from softmerge_core.evaluation import BATCHNORM_SAMPLES, evaluate, lowest_loss, reestimate_batchnorm, score
from softmerge_core.flat import FlatSources
from softmerge_core.merging.result import Candidate
from softmerge_core.numbers import number_text

TOLERANCE = 0.005  # of accuracy (0-1)


class Judge:
    """The validation data on the device, and training data for BatchNorm statistics."""

    def __init__(self, data: MergeData, device: str, dtype: torch.dtype) -> None:
        self.train_inputs = _as(data.train_inputs, device, dtype)
        self.train_labels = data.train_labels.to(device)
        self.inputs = _as(data.validation_inputs, device, dtype)
        self.labels = data.validation_labels.to(device)

    def merged(self, network: nn.Module) -> tuple[float, float]:
        """Return the (accuracy, loss) of a network whose weights have just changed."""
        reestimate_batchnorm(network, self.train_inputs[:BATCHNORM_SAMPLES])
        return evaluate(network, self.inputs, self.labels)

    def outputs(self, log_probabilities: Tensor) -> tuple[float, float]:
        """Return the (accuracy, loss) of log-probabilities [N, classes] on the validation inputs."""
        return score(log_probabilities, self.labels)


def _as(inputs: Tensor, device: str, dtype: torch.dtype) -> Tensor:
    return inputs.to(device, dtype) if inputs.is_floating_point() else inputs.to(device)


def baselines(
    flat: FlatSources, judge: Judge, names: Sequence[str], outputs: Sequence[Tensor]
) -> tuple[dict[str, Candidate], str]:
    """Return every source by name with "best_source", "average" and "ensemble"; and the name of the best source.

    ``outputs`` are each source's log-probabilities [N, classes] on the validation data. Overwrites the merged network.
    """
    sources = [_candidate(name, name, judge.outputs(out)) for name, out in zip(names, outputs, strict=True)]
    found = {source.name: source for source in sources}
    best = sources[lowest_loss([source.loss for source in sources])]
    mean = torch.stack(list(outputs)).logsumexp(0)  # softmax outputs summed; the scores below renormalise
    found["best_source"] = Candidate("best_source", f"best source ({best.name})", best.loss, best.accuracy)
    found["average"] = _candidate("average", "plain average", judge.merged(flat.average()))
    found["ensemble"] = _candidate("ensemble", f"ensemble of all {len(names)}", judge.outputs(mean))
    return found, best.name


def _candidate(name: str, title: str, accuracy_and_loss: tuple[float, float]) -> Candidate:
    accuracy, loss = accuracy_and_loss
    return Candidate(name, title, loss, accuracy)


def choose(candidates: Mapping[str, Candidate], eligible: Sequence[str]) -> str:
    """Return the eligible candidate with the lowest validation loss; a loss that is NaN never wins.

    Mixing overconfident sources can lower the loss even where it costs accuracy. So if the best source is eligible,
    no candidate wins whose validation accuracy is lower than the best source's by more than TOLERANCE.
    """
    floor = candidates["best_source"].accuracy - TOLERANCE if "best_source" in eligible else 0.0
    fit = [name for name in eligible if candidates[name].accuracy >= floor]
    return fit[lowest_loss([candidates[name].loss for name in fit])]


def why(candidates: Mapping[str, Candidate], winner: str, verb: str) -> str:
    """Return a sentence that compares the winner's validation loss with the best source's and the plain average's."""
    others = [candidates[name] for name in ("best_source", "average") if name != winner]
    against = " and ".join(f"{_nats(other.loss)} for the {other.title}" for other in others)
    title = candidates[winner].title
    title += "," if "," in title else ""  # "channel gates, refined, won"
    return f"{title[0].upper()}{title[1:]} {verb} {_nats(candidates[winner].loss)}, against {against}."


def _nats(loss: float) -> str:
    return f"{loss:.3f}" if abs(loss) < 100 else number_text(loss, 2)
