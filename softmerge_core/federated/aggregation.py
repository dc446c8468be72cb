"""Aggregation: the server merges the networks of a round by a mean, a robust statistic or a soft merge."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from softmerge_core.checks import non_finite_tensor
from softmerge_core.errors import SourceError
from softmerge_core.evaluation import reestimate_batchnorm
from softmerge_core.federated.dealing import SERVER, draw_seed, is_malicious
from softmerge_core.federated.scene import Scene
from softmerge_core.landscape import weights_of
from softmerge_core.merging.soft import soft_merge
from softmerge_core.methods import merge
from softmerge_core.settings import SoftMergeSettings


@dataclass(frozen=True)
class Aggregate:
    """The outcome of one round on the server.

    ``network`` is the merged network, or None if there is none. ``accepted`` are the clients whose networks were
    merged, and ``excluded`` those whose weights were not finite. ``gates`` holds the mean gate (0-1) of each client
    if gates were trained. ``notices`` are sentences about what went wrong.
    """

    network: nn.Module | None
    accepted: tuple[int, ...] = ()
    excluded: tuple[int, ...] = ()
    gates: Mapping[int, float] = field(default_factory=dict)
    notices: tuple[str, ...] = ()


def client_name(client: int) -> str:
    """Return a client's name as readers see it, counted from 1."""
    return f"client {client + 1}"


def aggregate(
    how: str,
    sent: Mapping[int, nn.Module],
    samples: Mapping[int, int],
    scene: Scene,
    number: int,
    should_stop: Callable[[], bool] | None = None,
) -> Aggregate:
    """Merge the networks ``sent`` (by client) in round ``number``; those with NaN or Inf are excluded with a notice.

    ``how`` is one of:
    mean: weighted by the number of ``samples`` of each client, or equally, as the federation says.
    honest: the mean of the honest clients alone, a reference that no real server could compute.
    median, trimmed_mean, krum: as in ``softmerge_core.methods``; Krum is told how many clients are malicious.
    soft: gates are trained on one half of the server's samples and judged by the other half.

    BatchNorm's statistics are estimated anew on the server's samples.
    """
    faults = {client: fault for client, network in sent.items() if (fault := non_finite_tensor(network))}
    notices = [f"{client_name(c)} is left out: {fault} has NaN or Inf in it" for c, fault in faults.items()]
    kept = {client: network for client, network in sent.items() if client not in faults}
    if how == "honest":
        kept = {client: network for client, network in kept.items() if not is_malicious(scene.federation, client)}
    gates: dict[int, float] = {}
    accepted = tuple(kept)
    if not kept:
        merged = None
    elif how == "soft" and len(kept) > 1:
        merged, gates, said = _soft(kept, scene, number, should_stop)
        notices += said
        accepted = tuple(client for client, gate in gates.items() if gate > 0)
    else:
        merged = _merged(how, kept, samples, scene)
    if merged is None or non_finite_tensor(merged):
        notices.append("no finite network could be made of what clients sent, so the server keeps its weights")
        return Aggregate(None, excluded=tuple(faults), gates=gates, notices=tuple(notices))
    return Aggregate(merged, accepted, tuple(faults), gates, tuple(notices))


def _merged(how: str, kept: Mapping[int, nn.Module], samples: Mapping[int, int], scene: Scene) -> nn.Module:
    networks = list(kept.values())
    if len(networks) == 1 or how in ("mean", "honest"):
        equal = scene.federation.settings.weighting == "equal"
        return weighted_mean(kept, dict.fromkeys(kept, 1) if equal else samples, scene)
    names = [client_name(client) for client in kept]
    own: dict[str, Any] = {"malicious": scene.federation.settings.malicious} if how == "krum" else {}
    return merge(how, networks, scene.server, names=names, **own)


@torch.no_grad()
def weighted_mean(kept: Mapping[int, nn.Module], samples: Mapping[int, int], scene: Scene) -> nn.Module:
    """Return the network with weights ``sum n_i theta_i / sum n_i``, summed in float64; n_i are the ``samples``."""
    total = sum(samples[client] for client in kept)
    mean = sum(weights_of(network).double() * (samples[c] / total) for c, network in kept.items())
    result = scene.new_network()
    result.load_state_dict(next(iter(kept.values())).state_dict())
    assert isinstance(mean, torch.Tensor)
    nn.utils.vector_to_parameters(mean.float(), result.parameters())
    reestimate_batchnorm(result, scene.server.train_inputs)
    return result.eval()


def _soft(
    kept: Mapping[int, nn.Module], scene: Scene, number: int, should_stop: Callable[[], bool] | None
) -> tuple[nn.Module | None, dict[int, float], list[str]]:
    """Return the merged network (None if every source's outputs overflow), the mean gate by client, and notices."""
    settings = scene.federation.settings
    how = SoftMergeSettings(
        granularity=settings.granularity,
        steps=settings.merge_steps,
        seed=draw_seed(settings.seed, SERVER, number),
        non_finite="exclude",
    )
    names = [client_name(client) for client in kept]
    try:
        result = soft_merge(list(kept.values()), scene.server, how, names=names, should_stop=should_stop)
    except SourceError as error:
        return None, dict.fromkeys(kept, 0.0), [str(error)]
    parts = result.gates.value
    means = [sum(row[k] for row in parts) / len(parts) for k in range(len(names))]
    gates = dict(zip(kept, means, strict=True))
    return result.model, gates, [f"{name} is left out: its outputs overflow" for name in result.excluded]
