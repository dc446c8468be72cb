"""One stage of soft merging: trains the gates of one partition on the task loss plus the penalty on open gates."""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm

from softmerge_core.anatomy import Partition
from softmerge_core.flat import FlatSources
from softmerge_core.gates import SourceGates
from softmerge_core.settings import SoftMergeSettings

# A draw that opens a source with extreme weights has a gradient millions of times larger than usual. Unclipped, it
# would dominate Adam's second moment, and no gate would move for the rest of the run.
MAX_GRADIENT = 1.0
# Only channel gates have scales, so that coarse gates can return a single good source exactly.
SCALE_RATE = 0.2  # the learning rate of scales relative to that of gate logits: a scale must move less than a gate


class StepLoss(NamedTuple):
    """The losses of one step, in nats: the task's cross-entropy and the penalty on open gates."""

    task: float
    penalty: float

    @property
    def total(self) -> float:
        """The sum of both, which training minimises."""
        return self.task + self.penalty


class GateTraining:
    """The training of gates [parts, K] over ``flat`` sources: only gate logits and scales are trained, never a weight.

    ``start`` are the first logits [parts, K], or None for ``settings.initial_open_probability`` everywhere; ``scale``
    are the first log scales [parts, 1], or None for no change of scale.
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
        ).to(flat.dtype)  # the table is small, so it stays on the CPU, where its noise is reproducible on every machine
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
        """Draw the gates once with noise, run the merged network on one batch, and update the logits.

        The logits stay as they are if the loss is not finite.
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
        task.backward()
        gradient = self.flat.weight_gradient(self.blocks, len(self.parts.names)).cpu()
        if torch.isfinite(gradient).all():
            self.optimiser.zero_grad()
            torch.autograd.backward([weights, penalty], [gradient, torch.ones_like(penalty)])
            for parameter in self.gates.parameters():
                nn.utils.clip_grad_norm_(parameter, MAX_GRADIENT)
            self.optimiser.step()
        return loss

    def apply(self, logits: Tensor | None = None) -> nn.Module:
        """Write the merge without noise into the working network; the caller must renew its BatchNorm statistics."""
        if logits is not None:
            self.gates.log_alpha.data.copy_(logits)
        with torch.no_grad():
            self.flat.merge(self.blocks, self.gates.weights().to(self.flat.theta.device))
        return self.flat.network

    def logits(self) -> Tensor:
        """Return a copy of the gate logits [parts, K]."""
        return self.gates.log_alpha.detach().clone()

    def scale(self) -> Tensor:
        """Return a copy of the log scales [parts, 1]."""
        return self.gates.log_scale.detach().clone()

    def state(self) -> dict[str, Any]:
        """Return everything needed to go on: logits, scales and the optimiser's moments."""
        return {"log_alpha": self.logits(), "log_scale": self.scale(), "optimiser": self.optimiser.state_dict()}

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from ``state``, as ``state()`` returned it."""
        self.gates.log_alpha.data.copy_(state["log_alpha"])
        self.gates.log_scale.data.copy_(state["log_scale"])
        self.optimiser.load_state_dict(state["optimiser"])


def training_mode(network: nn.Module, batch: int) -> None:
    """Put the network in evaluation mode, except that BatchNorm uses the batch: running statistics would be stale.

    Dropout stays off. A ``batch`` of one sample has no statistics, so BatchNorm then uses the running ones.
    """
    network.eval()
    for module in network.modules():
        if isinstance(module, _BatchNorm):
            module.train(batch > 1)
