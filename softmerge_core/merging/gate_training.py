"""One stage of soft merging: trains the gates of one partition on the task loss plus the penalty on open gates."""

import math
from functools import cached_property
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm

from softmerge_core.anatomy import Partition
from softmerge_core.flat import Blocks, FlatSources
from softmerge_core.gates import SourceGates
from softmerge_core.merging.draws import draw, gradients, noise
from softmerge_core.merging.optimisers import GateOptimiser
from softmerge_core.merging.watching import Computed, Watcher
from softmerge_core.settings import SoftMergeSettings

# A draw that opens a source with extreme weights has a gradient millions of times larger than usual. Unclipped, it
# would dominate Adam's second moment, and no gate would move for the rest of the run.
MAX_GRADIENT = 1.0
# Only channel gates have scales, so that coarse gates can return a single good source exactly.
NOISE = 2**22  # numbers of noise that are drawn at once, at most
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
    are the first log scales [parts, 1], or None for no change of scale. With a ``base`` [P] the gates weigh, each for
    itself, what the sources have learned since. ``fixed`` gates stay as they start, so that only scales are trained;
    of others those do that are ``held`` [parts, K].
    """

    def __init__(
        self,
        flat: FlatSources,
        parts: Partition,
        settings: SoftMergeSettings,
        generator: torch.Generator,
        start: Tensor | None = None,
        scale: Tensor | None = None,
        *,
        base: Tensor | None = None,
        fixed: bool = False,
        held: Tensor | None = None,
    ) -> None:
        self.flat, self.parts, self.settings, self.generator = flat, parts, settings, generator
        self.base, self.fixed = base, fixed
        rescale = settings.rescale and parts.granularity == "channel" and len(flat.theta) > 1 and base is None
        self.gates = SourceGates(
            len(parts.names),
            len(flat.theta),
            normalise=settings.normalise and base is None,
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
        tables = [self.gates.log_alpha.data, *([self.gates.log_scale.data] if rescale else [])]
        self.optimiser = GateOptimiser(settings.optimiser, tables, self._rates(len(tables)))
        self._noise: list[Tensor] = []
        self.watcher: Watcher | None = None
        self._held, self._begun = held, self.logits()

    def _rates(self, tables: int) -> list[float]:
        """The learning rates of gate logits and, if they are trained, of log scales."""
        rate = self.settings.learning_rate
        return [0.0 if self.fixed else rate, SCALE_RATE * rate][:tables]

    def change(self, settings: SoftMergeSettings) -> None:
        """Go on with another penalty, learning rate and temperature; gates and moments stay as they are."""
        self.settings, self.gates.temperature = settings, settings.temperature
        self.optimiser.rates = self._rates(len(self.optimiser.rates))

    @cached_property
    def blocks(self) -> Blocks:
        """The pieces of the flat vector that the gates govern, made when they are first needed."""
        return self.flat.blocks(self.parts, self.base)

    def prepare(self, steps: int, batch: int) -> None:
        """Get ready for ``steps`` steps on batches of ``batch`` samples: draw their noise, and set the network's mode.

        To be called after whatever used the working network in between.
        """
        most = max(1, NOISE // self.gates.log_alpha.numel())
        self._noise = list(noise(self.gates, min(steps, most)))[::-1]
        training_mode(self.flat.network, batch)

    def noise_ahead(self) -> Tensor:
        """Hand over the noise [steps, parts, K] that was drawn for the next steps."""
        ahead, self._noise = torch.stack(self._noise[::-1]), []
        return ahead

    def step(self, inputs: Tensor, targets: Tensor) -> StepLoss:
        """Draw the gates once with noise, run the merged network on one batch, and update the logits.

        ``targets`` are labels [N] or probabilities [N, classes].
        The logits stay as they are if the loss is not finite.
        """
        if not self._noise:
            self.prepare(1, len(inputs))
        logistic = self._noise.pop()
        drawn = draw(self.gates, logistic)
        self.blocks.write(drawn.weights.to(inputs.device))
        self.flat.gradient.zero_()
        outputs = self.flat.network(inputs)
        task = functional.cross_entropy(outputs, targets)
        found = float(task.detach())
        if not math.isfinite(found):
            return StepLoss(found, 0.0)
        task.backward()
        gradient = self.blocks.weight_gradient().cpu()
        penalty, changes = gradients(self.gates, drawn, gradient, self.settings.penalty)
        if self.watcher:
            self.watcher.computed(self, Computed(logistic, drawn, outputs.detach(), targets, found, penalty, gradient))
        if all(math.isfinite(float(change.sum())) for change in changes):
            self.optimiser.step(changes, MAX_GRADIENT)
            if self._held is not None:
                self.gates.log_alpha.data.copy_(torch.where(self._held, self._begun, self.gates.log_alpha.data))
        if self.watcher:
            self.watcher.updated(self)
        return StepLoss(found, penalty)

    def apply(self, logits: Tensor | None = None) -> nn.Module:
        """Write the merge without noise into the working network; the caller must renew its BatchNorm statistics."""
        if logits is not None:
            self.gates.log_alpha.data.copy_(logits)
        with torch.no_grad():
            self.blocks.write(self.gates.weights().to(self.flat.theta.device))
        return self.flat.network

    def logits(self) -> Tensor:
        """Return a copy of the gate logits [parts, K]."""
        return self.gates.log_alpha.detach().clone()

    def scale(self) -> Tensor:
        """Return a copy of the log scales [parts, 1]."""
        return self.gates.log_scale.detach().clone()

    def state(self) -> dict[str, Any]:
        """Return everything needed to go on: logits, scales and the optimiser's moments."""
        return {"log_alpha": self.logits(), "log_scale": self.scale(), "optimiser": self.optimiser.state()}

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from ``state``, as ``state()`` returned it."""
        self.gates.log_alpha.data.copy_(state["log_alpha"])
        self.gates.log_scale.data.copy_(state["log_scale"])
        self.optimiser.load_state(state["optimiser"])


def training_mode(network: nn.Module, batch: int) -> None:
    """Put the network in evaluation mode, except that BatchNorm uses the batch: running statistics would be stale.

    Dropout stays off. A ``batch`` of one sample has no statistics, so BatchNorm then uses the running ones.
    """
    network.eval()
    for module in network.modules():
        if isinstance(module, _BatchNorm):
            module.train(batch > 1)
