"""The candidates of a merge, all judged on the same validation data, and the choice among them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import torch
from scipy.special import stdtrit
from torch import Tensor, nn
from torch.nn import functional

from softmerge_core.data.base import MergeData
from softmerge_core.evaluation import (
    BATCHNORM_SAMPLES,
    batchnorm_samples,
    log_probabilities,
    lowest_loss,
    predict,
    reestimate_batchnorm,
)
from softmerge_core.merging.result import Candidate
from softmerge_core.numbers import number_text
from softmerge_core.settings import SoftMergeSettings

TOLERANCE = 0.005  # of accuracy (0-1)
SURE = 0.977  # the probability, by Student's t, at which a difference is sure; of many samples, 2 standard errors
SAME = 1e-6  # relative difference of the losses of one network, by rounding: where one source is left, all are that
LIKELY = 0.84  # ... and at which it is likely: of many samples, 1 standard error


class Score(NamedTuple):
    """What a network reaches on the validation data: accuracy (0-1) and mean loss (nats).

    ``each`` are the single samples' losses [N], and ``right`` tells which are classified correctly. Where the sources
    are to be matched (``Judge.match``), losses and ``right`` are against what these predict together; the accuracy is
    against the labels always.
    """

    accuracy: float
    loss: float
    each: Tensor
    right: Tensor


class Judge:
    """The data on the device: what is to be predicted of the training samples, and validation samples to judge by."""

    def __init__(self, data: MergeData, device: str, dtype: torch.dtype) -> None:
        self.train_inputs = _as(data.train_inputs, device, dtype)
        self.train_labels = data.train_labels.to(device)
        self.inputs = _as(data.validation_inputs, device, dtype)
        self.labels = data.validation_labels.to(device)
        self.train_targets, self.targets, self.answers = self.train_labels, self.labels, self.labels

    def match(self, sources: Sequence[nn.Module], outputs: Sequence[Tensor]) -> None:
        """From now on take for right what ``sources`` predict together, so that no label is looked at.

        ``outputs`` are each source's log-probabilities [N, classes] on the validation inputs. Targets are the means of
        all sources' probabilities [N, classes], as in distillation (Hinton, Vinyals, Dean 2015, arXiv 1503.02531).
        """
        train = [log_probabilities(source, self.train_inputs) for source in sources]
        self.train_targets, self.targets = _together(train).to(train[0].dtype), _together(outputs)
        self.answers = self.targets.argmax(1)

    def merged(self, network: nn.Module) -> Score:
        """Return the score of a network whose weights have just changed."""
        self.renew(network)
        return self.outputs(predict(network, self.inputs))

    def renew(self, network: nn.Module) -> None:
        """Renew BatchNorm's statistics of a network whose weights have just changed."""
        reestimate_batchnorm(network, self.train_inputs[:BATCHNORM_SAMPLES])

    def evaluations(self, network: nn.Module, samples: int, renewed: int) -> float:
        """How many evaluations of ``network`` compute as much as so many ``samples`` and ``renewed`` networks do."""
        each = batchnorm_samples(network, len(self.train_inputs))
        return (samples + renewed * each) / (len(self.inputs) + each)

    def outputs(self, log_probabilities: Tensor) -> Score:
        """Return the score of log-probabilities or logits [N, classes] on the validation inputs."""
        each = functional.cross_entropy(log_probabilities.double(), self.targets, reduction="none")
        found = log_probabilities.argmax(1)
        accuracy = float((found == self.labels).double().mean())
        return Score(accuracy, float(each.mean()), each.cpu(), (found == self.answers).cpu())


def _together(outputs: Sequence[Tensor]) -> Tensor:
    """Return the mean of the probabilities [N, classes] in float64."""
    return torch.stack(list(outputs)).double().exp().mean(0)


def _as(inputs: Tensor, device: str, dtype: torch.dtype) -> Tensor:
    return inputs.to(device, dtype) if inputs.is_floating_point() else inputs.to(device)


def baselines(
    average: nn.Module, judge: Judge, names: Sequence[str], outputs: Sequence[Tensor]
) -> tuple[dict[str, Candidate], str]:
    """Return every source by name with "best_source", "average" and "ensemble"; and the name of the best source.

    ``outputs`` are each source's log-probabilities [N, classes] on the validation data. BatchNorm's statistics of the
    plain ``average`` are renewed in place.
    """
    found = {name: candidate(name, name, judge.outputs(out)) for name, out in zip(names, outputs, strict=True)}
    best = names[lowest_loss([found[name].loss for name in names])]
    mean = torch.stack(list(outputs)).logsumexp(0)  # softmax outputs summed; the scores below renormalise
    found["best_source"] = replace(found[best], name="best_source", title=f"best source ({best})")
    found["average"] = candidate("average", "plain average", judge.merged(average))
    found["ensemble"] = candidate("ensemble", f"ensemble of all {len(names)}", judge.outputs(mean))
    return found, best


def candidate(name: str, title: str, score: Score) -> Candidate:
    """Return a candidate with its score."""
    return Candidate(name, title, score.loss, score.accuracy, tuple(score.each.tolist()), tuple(score.right.tolist()))


def choose(candidates: Mapping[str, Candidate], trained: Sequence[str], whole: Sequence[str]) -> str:
    """Return the candidate to keep: a simple one, unless another one is surely better.

    Many gates fitted and compared on few samples look better than they are, and so does the best of many sources. So
    what is kept at first is simple (``_simplest``), and whatever else is there, the ``whole`` networks that need no
    gates and then finer and finer gates, the ``trained``, replaces it only if it is surely better by the paired
    differences, sample by sample. A loss that is NaN never wins over one that is not.
    """
    kept = candidates[_simplest(candidates, trained[0], whole)]
    for name in dict.fromkeys((*whole, *trained)):
        if _replaces(candidates[name], kept):
            kept = candidates[name]
    return kept.name


def verdict(
    candidates: Mapping[str, Candidate], trained: Sequence[str], whole: Sequence[str], settings: SoftMergeSettings
) -> tuple[str, str]:
    """Return the candidate that a merge with these ``settings`` keeps, and why in one sentence; see ``choose``."""
    measure = "validation loss" + (" against the ensemble" if settings.objective == "ensemble" else "")
    if settings.granularity != "auto":
        return trained[0], why(candidates, trained[0], f"as trained: {measure}")
    winner = choose(candidates, trained, whole)
    return winner, why(candidates, winner, f"won: {measure}")


def _simplest(candidates: Mapping[str, Candidate], coarsest: str, whole: Sequence[str]) -> str:
    """Return the plain average or the best source, if one is surely better than the other, or else the average.

    The ``coarsest`` gates, one a source, find a single good source as well as the average, and are too few to be fitted
    to single samples: it is theirs to be kept where they are likely better than the average, or nothing is ``whole``.
    """
    if not whole:
        return coarsest
    average, best = candidates["average"], candidates["best_source"]
    if surely_better(best, average) or math.isclose(best.loss, average.loss, rel_tol=SAME):
        return "best_source"
    likely = surely_better(candidates[coarsest], average, LIKELY)
    return coarsest if likely and not surely_better(average, best) else "average"


def _replaces(other: Candidate, kept: Candidate) -> bool:
    """Whether ``other`` surely has the lower loss, or surely classifies more at no higher a loss.

    Mixing overconfident sources can lower the loss even where it costs accuracy: nothing replaces what classifies more
    by more than TOLERANCE, and the best source, which is surely no mixture, may have the higher loss.
    """
    lower = _share(other.right) >= _share(kept.right) - TOLERANCE and surely_better(other, kept)
    more = _surely(_paired(other.right, kept.right), SURE)
    return lower or (more and (other.loss <= kept.loss or other.name == "best_source"))


def _share(right: Sequence[bool]) -> float:
    return float(torch.tensor(right, dtype=torch.float64).mean())


def surely_better(one: Candidate, other: Candidate, sure: float = SURE) -> bool:
    """Whether the loss of ``one`` is lower, by the paired differences, with the probability ``sure``."""
    if math.isnan(one.loss) or math.isnan(other.loss):
        return not math.isnan(one.loss)
    gains = _paired(other.each, one.each)
    return _surely(gains, sure) if torch.isfinite(gains).all() else one.loss < other.loss


def _paired(one: Sequence[float], other: Sequence[float]) -> Tensor:
    return torch.tensor(one, dtype=torch.float64) - torch.tensor(other, dtype=torch.float64)


def _surely(gains: Tensor, sure: float) -> bool:
    """Whether the mean of ``gains`` [N] is above 0 by more than chance gives, with the probability ``sure``."""
    count = len(gains)
    return count > 1 and bool(gains.mean() > stdtrit(count - 1, sure) * gains.std() / math.sqrt(count))


def why(candidates: Mapping[str, Candidate], winner: str, verb: str) -> str:
    """Return a sentence that compares the winner's validation loss with the best source's and the plain average's."""
    others = [candidates[name] for name in ("best_source", "average") if name != winner]
    against = " and ".join(f"{_nats(other.loss)} for the {other.title}" for other in others)
    title = candidates[winner].title
    title += "," if "," in title else ""  # "channel gates, refined, won"
    return f"{title[0].upper()}{title[1:]} {verb} {_nats(candidates[winner].loss)}, against {against}."


def _nats(loss: float) -> str:
    return f"{loss:.3f}" if abs(loss) < 100 else number_text(loss, 2)
