"""What a student learns from, and what it may begin with: the parts of distillation."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from softmerge_core.evaluation import predict


@torch.no_grad()
def drawn_anew(network: nn.Module, seed: int) -> nn.Module:
    """Return ``network`` with new random weights, in place; global random state stays as it was.

    Each layer of torch draws its own as when it is built. Parameters of other modules, such as a table of positions,
    are drawn from a normal distribution with the mean and the spread that they have.
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        for module in reversed(list(network.modules())):  # a layer made of layers draws after those
            reset = getattr(module, "reset_parameters", None) or getattr(module, "_reset_parameters", None)
            if callable(reset):
                reset()
                continue
            for parameter in module.parameters(recurse=False):
                parameter.normal_(float(parameter.mean()), float(parameter.std(correction=0)))
    return network


def teacher_of(sources: Sequence[nn.Module], inputs: Tensor, temperature: float) -> Tensor:
    """Return the log of the sources' mean ``softmax(f_k(x) / T)`` [N, classes] on ``inputs`` [N, ...]."""
    each = torch.stack([(predict(source, inputs) / temperature).log_softmax(1) for source in sources])
    return each.logsumexp(0).log_softmax(1)


def loss_of(logits: Tensor, teacher: Tensor | None, labels: Tensor, alpha: float, temperature: float) -> Tensor:
    """Return ``alpha T^2 KL(teacher/T || student/T) + (1 - alpha) CE`` of logits [N, classes] and labels [N].

    ``teacher``: what ``teacher_of`` says of the same samples, or None where ``alpha`` is 0.
    (Hinton, Vinyals, Dean 2015, arXiv 1503.02531.)
    """
    task = (1 - alpha) * functional.cross_entropy(logits, labels)
    if teacher is None:
        return task
    softened = functional.log_softmax(logits / temperature, 1)
    return alpha * temperature**2 * functional.kl_div(softened, teacher, reduction="batchmean", log_target=True) + task
