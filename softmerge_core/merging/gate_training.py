"""One stage of soft merging: the gates of one partition, trained by ordinary steps on the task loss plus penalty."""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm

from softmerge_core.anatomy import Partition
from softmerge_core.flat import FlatSources
from softmerge_core.gates import SourceGates
from softmerge_core.settings import SoftMergeSettings

# One draw that opens a source with extreme weights has a gradient millions of times the usual one; unclipped it would
# fill Adam's second moment and still every gate for the rest of the run.
MAX_GRADIENT = 1.0
# Only channels are rescaled: coarse gates then give a single good source back exactly.
SCALE_RATE = 0.2  # learning rate of the scales over that of the gate logits: a weight is changed by less than a gate


class StepLoss(NamedTuple):
    """Losses of one step, in nats: the task's cross-entropy and the price of the open gates."""

    task: float
    penalty: float

    @property
    def total(self) -> float:
        """Their sum, which is what training lowers."""
        return self.task + self.penalty


class GateTraining:
    """Gates [parts, K] over ``flat`` sources; only the gate logits and each part's scale are trained, never a weight.

    ``start``: logits [parts, K] to begin from, or None for ``settings.initial_open_probability`` everywhere;
    ``scale``: log scales [parts, 1] to begin from, or None for no change of scale.
    """

    def __init__(
        self,
        flat: FlatSources,
        parts: Partition,
        settings: SoftMergeSettings,
        generator: torch.Generator,
        start: Tensor | None = None,
        scale: Tensor | None = None,
    ) -> None:
        self.flat, self.parts, self.settings, self.generator = flat, parts, settings, generator
        self.blocks = flat.blocks(parts)
        rescale = settings.rescale and parts.granularity == "channel" and len(flat.theta) > 1
        self.gates = SourceGates(
            len(parts.names),
            len(flat.theta),
            normalise=settings.normalise,
            rescale=rescale,
            initial_open_probability=settings.initial_open_probability,
            temperature=settings.temperature,
            stretch=settings.stretch,
            generator=generator,
        ).to(flat.dtype)  # the table is small: it stays on the CPU, where its noise is reproducible everywhere
        if start is not None:
            self.gates.log_alpha.data.copy_(start)
        if scale is not None:
            self.gates.log_scale.data.copy_(scale)
        kind = torch.optim.Adam if settings.optimiser == "adam" else torch.optim.SGD
        groups = [{"params": [self.gates.log_alpha]}]
        if rescale:
            groups.append({"params": [self.gates.log_scale], "lr": SCALE_RATE * settings.learning_rate})  # type: ignore[dict-item]
        self.optimiser = kind(groups, lr=settings.learning_rate)

    def step(self, inputs: Tensor, labels: Tensor) -> StepLoss:
        """One noisy draw of the gates, one pass through the merged network, one step of the logits.

        The logits stay as they were when the loss is not finite.
        """
        weights = self.gates.sampled_weights()
        self.flat.merge(self.blocks, weights.detach().to(inputs.device))
        training_mode(self.flat.network, len(inputs))
        self.flat.gradient.zero_()
        task = functional.cross_entropy(self.flat.network(inputs), labels)
        penalty = self.settings.penalty * self.gates.open_sources()
        loss = StepLoss(float(task.detach()), float(penalty.detach()))
        if not torch.isfinite(task):
            return loss
        task.backward()  # type: ignore[no-untyped-call]
        gradient = self.flat.weight_gradient(self.blocks, len(self.parts.names)).cpu()
        if torch.isfinite(gradient).all():
            self.optimiser.zero_grad()
            torch.autograd.backward([weights, penalty], [gradient, torch.ones_like(penalty)])
            for parameter in self.gates.parameters():
                nn.utils.clip_grad_norm_(parameter, MAX_GRADIENT)
            self.optimiser.step()
        return loss

    def apply(self, logits: Tensor | None = None) -> nn.Module:
        """Write the merge without noise into the working network (BatchNorm statistics are the caller's to renew)."""
        if logits is not None:
            self.gates.log_alpha.data.copy_(logits)
        with torch.no_grad():
            self.flat.merge(self.blocks, self.gates.weights().to(self.flat.theta.device))
        return self.flat.network

    def logits(self) -> Tensor:
        """A copy of the gate logits [parts, K]."""
        return self.gates.log_alpha.detach().clone()

    def scale(self) -> Tensor:
        """A copy of the log scales [parts, 1]."""
        return self.gates.log_scale.detach().clone()

    def state(self) -> dict[str, Any]:
        """All that is needed to go on: logits, scales and optimiser moments."""
        return {"log_alpha": self.logits(), "log_scale": self.scale(), "optimiser": self.optimiser.state_dict()}

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from ``state``."""
        self.gates.log_alpha.data.copy_(state["log_alpha"])
        self.gates.log_scale.data.copy_(state["log_scale"])
        self.optimiser.load_state_dict(state["optimiser"])


def training_mode(network: nn.Module, batch: int) -> None:
    """Evaluation mode, but BatchNorm uses the batch: its running statistics belong to no merge. Dropout stays off.

    A ``batch`` of one sample has no statistics: BatchNorm then keeps to the running ones.
    """
    network.eval()
    for module in network.modules():
        if isinstance(module, _BatchNorm):
            module.train(batch > 1)
