"""Networks that nobody can merge as they are, each with the words in which it must be refused."""

import threading
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations, prune, spectral_norm, weight_norm

from tests.networks_for_tests import perceptron


class Holder(nn.Module):
    """A perceptron that holds something more."""

    def __init__(self, held: object) -> None:
        super().__init__()
        self.network = perceptron()
        self.held = held

    def forward(self, inputs: Tensor) -> Tensor:
        return self.network(inputs)


class Says(nn.Module):
    """A perceptron whose output is put into another form."""

    def __init__(self, form: Callable[[Tensor], object]) -> None:
        super().__init__()
        self.network = perceptron()
        self.form = form

    def forward(self, inputs: Tensor) -> object:
        return self.form(self.network(inputs))


class Extra(Holder):
    """Keeps more in its state than tensors."""

    def get_extra_state(self) -> object:
        return {"version": 1}

    def set_extra_state(self, state: object) -> None:
        pass


def changed(change: Callable[[nn.Module], object]) -> nn.Module:
    """A perceptron whose first layer was changed in place."""
    network = perceptron()
    change(network[0])
    return network


def _sparse(layer: nn.Module) -> None:
    layer.weight = nn.Parameter(layer.weight.detach().to_sparse())


def _kept(layer: nn.Module) -> None:
    layer.seen = {"last": layer(torch.zeros(2, 12))}


def _circular(layer: nn.Module) -> None:
    layer.inner = nn.Sequential(layer)


def _used(layer: nn.Module) -> None:
    prune.l1_unstructured(layer, "weight", 0.5)
    layer(torch.zeros(2, 12))


REFUSED: dict[str, tuple[str, Callable[[], object]]] = {
    "a state dict": ("expected a torch.nn.Module, got OrderedDict", lambda: perceptron().state_dict()),
    "pruned": ("layer 0 is pruned: .*prune.remove", lambda: changed(lambda n: prune.l1_unstructured(n, "weight", 0.5))),
    "pruned twice": ("layer 0 is pruned: .*prune.remove", lambda: changed(lambda n: (_used(n), _used(n)))),
    "old weight norm": (
        "layer 0 computes its weight by weight_norm; .*remove_we",
        lambda: changed(weight_norm),
    ),
    "old spectral norm": ("layer 0 computes its weight by spectral_norm; .*remove_sp", lambda: changed(spectral_norm)),
    "new weight norm": (
        "layer 0 computes its weight by a parametrization; .*remove_parametrizations",
        lambda: changed(parametrizations.weight_norm),
    ),
    "orthogonal": ("layer 0 .*remove_parametrizations", lambda: changed(parametrizations.orthogonal)),
    "lazy": ("layer 0 .*weight has no shape yet", lambda: nn.Sequential(nn.LazyLinear(8), nn.ReLU(), nn.Linear(8, 3))),
    "complex": ("held is of torch.complex64", lambda: Holder(nn.Parameter(torch.zeros(3, dtype=torch.complex64)))),
    "integer": ("held is of torch.int64", lambda: Holder(nn.Parameter(torch.arange(3), requires_grad=False))),
    "eight bits": ("layer 0 .*weight is of torch.float8_e4m3fn", lambda: perceptron().to(torch.float8_e4m3fn)),
    "scripted": ("the network is a ScriptModule", lambda: torch.jit.script(perceptron())),
    "traced": ("the network is a ScriptModule", lambda: torch.jit.trace(perceptron(), torch.zeros(2, 12))),
    "scripted in part": ("layer held is a ScriptModule", lambda: Holder(torch.jit.script(nn.Linear(2, 2)))),
    "quantized": ("layer held is a quantized Linear", lambda: Holder(torch.ao.nn.quantized.dynamic.Linear(2, 2))),
    "meta": ("layer 0 .*weight is on the meta device", lambda: perceptron().to("meta")),
    "sparse": ("layer 0 .*weight is of layout torch.sparse_coo; .*to_dense", lambda: changed(_sparse)),
    "several devices": ("wrapped in DataParallel; .*'module'", lambda: nn.DataParallel(perceptron())),
    "compiled": ("wrapped in OptimizedModule; .*'_orig_mod'", lambda: torch.compile(perceptron(), backend="eager")),
    "a pass kept": (
        "layer 0 keeps a tensor that a pass made, and its graph, in seen",
        lambda: changed(_kept),
    ),
    "a circle": ("its state cannot be read: maximum recursion", lambda: changed(_circular)),
    "extra state": ("expected tensors in its state, got _extra_state of type dict", lambda: Extra(None)),
}

NO_COPY = "cannot be copied: cannot pickle '_thread.lock' object"


def locked() -> nn.Module:
    """A network that no merge can copy."""
    return Holder(threading.Lock())


OUTPUTS: dict[str, tuple[str, Callable[[], nn.Module]]] = {
    "tuple": (r"got a tuple \(Tensor, Tensor\)", lambda: Says(lambda logits: (logits, logits))),
    "list": (r"got a list \(Tensor\)", lambda: Says(lambda logits: [logits])),
    "dict": (r"got a dict \(logits\)", lambda: Says(lambda logits: {"logits": logits})),
    "nothing": ("got a NoneType", lambda: Says(lambda logits: None)),
    "one number a sample": (r"got shape \[2\]", lambda: Says(lambda logits: logits[:, 0])),
    "one row for all": (r"got shape \[1, 3\] for 2 samples", lambda: Says(lambda logits: logits[:1])),
    "no classes": (r"got shape \[2, 0\]", lambda: Says(lambda logits: logits[:, :0])),
    "labels": ("got torch.int64", lambda: Says(lambda logits: logits.argmax(1, keepdim=True))),
    "complex": ("got torch.complex64", lambda: Says(lambda logits: logits + 0j)),
    "an assertion": ("cannot read inputs .*AssertionError", lambda: Says(_asserting)),
    "a missing key": ("cannot read inputs .*'mask'", lambda: Says(lambda logits: {}["mask"])),
}


def _asserting(logits: Tensor) -> Tensor:
    assert len(logits) == 7
    return logits
