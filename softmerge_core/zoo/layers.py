"""The layers of a network as a manifest tells them, and how good a network is on each split."""

from torch import nn

from softmerge_core.anatomy import describe
from softmerge_core.data import Data
from softmerge_core.evaluation import evaluate
from softmerge_core.zoo.manifest import LayerInfo


def layer_infos(network: nn.Module) -> tuple[LayerInfo, ...]:
    """Name, kind, block, channels and parameter count of every layer, in order."""
    return tuple(
        LayerInfo(name=x.name, kind=x.kind, block=x.block, channels=x.channels, parameters=x.parameters)
        for x in describe(network)
    )


def scores(network: nn.Module, data: Data) -> tuple[dict[str, float], dict[str, float]]:
    """(accuracy 0-1, loss in nats) of ``network``, each by "train", "validation" and "test"."""
    accuracy, loss = {}, {}
    for split in ("train", "validation", "test"):
        accuracy[split], loss[split] = evaluate(network, *data.split(split))
    return accuracy, loss
