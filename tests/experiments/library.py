"""Models for tests: trained for an instant, kept in the library of the test's own home folder."""

import torch
from torch import nn

from softmerge_core.data import load_dataset
from softmerge_core.networks import build_network
from softmerge_core.settings import SourceSpec
from softmerge_core.zoo import add_to_library


def trained(name: str, seed: int, network: str = "mlp", dataset: str = "moons", steps: int = 30) -> SourceSpec:
    """A library model after a few full-batch steps."""
    data = load_dataset(dataset)
    module = build_network(network, data.input_shape, data.classes, seed=seed)
    optimiser = torch.optim.Adam(module.parameters(), lr=0.02)
    for _ in range(steps):
        optimiser.zero_grad()
        nn.functional.cross_entropy(module(data.train_inputs[:256]), data.train_labels[:256]).backward()
        optimiser.step()
    kept = add_to_library(
        name,
        module.eval(),
        origin="trained",
        network=network,
        dataset=dataset,
        input_shape=data.input_shape,
        classes=data.classes,
        how="For a test.",
    )
    return SourceSpec(model=f"library/{kept.name}")
