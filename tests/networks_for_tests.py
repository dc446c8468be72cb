"""Small networks of every kind of layer the engine must take apart, and data they can read."""

import torch
from torch import Tensor, nn

from softmerge_core import MergeData


class Recurrent(nn.Module):
    """Two bidirectional LSTM layers, read at the last step."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(4, 5, num_layers=2, bidirectional=True, batch_first=True)
        self.head = nn.Linear(10, 3)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.head(self.lstm(inputs.view(-1, 3, 4))[0][:, -1])


class Attention(nn.Module):
    """A class token of its own, attention, LayerNorm."""

    def __init__(self) -> None:
        super().__init__()
        self.token = nn.Parameter(torch.randn(1, 1, 4))
        self.norm = nn.LayerNorm(4)
        self.attention = nn.MultiheadAttention(4, 2, batch_first=True)
        self.head = nn.Linear(4, 3)

    def forward(self, inputs: Tensor) -> Tensor:
        tokens = torch.cat([self.token.expand(len(inputs), -1, -1), inputs.view(-1, 3, 4)], 1)
        normed = self.norm(tokens)
        return self.head((tokens + self.attention(normed, normed, normed)[0])[:, 0])


class Tied(nn.Module):
    """One matrix used twice, and a scale of no dimension."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(12, 12, bias=False)
        self.second = nn.Linear(12, 12, bias=False)
        self.second.weight = self.first.weight
        self.scale = nn.Parameter(torch.tensor(1.5))
        self.head = nn.Linear(12, 3)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.head(self.second(self.first(inputs).relu()).relu() * self.scale)


def convolutional() -> nn.Module:
    """Conv + BatchNorm, twice, and a transposed convolution; dropout too."""
    return nn.Sequential(
        nn.Unflatten(1, (1, 12)),
        nn.Conv1d(1, 4, 3, padding=1, bias=False),
        nn.BatchNorm1d(4),
        nn.ReLU(),
        nn.ConvTranspose1d(4, 6, 2, stride=2),
        nn.BatchNorm1d(6),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Flatten(),
        nn.Linear(6 * 24, 3),
    )


def perceptron() -> nn.Module:
    return nn.Sequential(nn.Linear(12, 8), nn.ReLU(), nn.Linear(8, 3))


NETWORKS = {
    "perceptron": perceptron,
    "convolutional": convolutional,
    "recurrent": Recurrent,
    "attention": Attention,
    "tied": Tied,
}


def make_sources(kind: str, count: int, seed: int = 0) -> list[nn.Module]:
    """``count`` untrained networks of one kind, each with weights of its own."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return [NETWORKS[kind]() for _ in range(count)]


def make_data(samples: int = 96, seed: int = 0, classes: int = 3, dtype: torch.dtype = torch.float32) -> MergeData:
    """A linearly separable problem of 12 features, so that training has something to find."""
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(2 * samples, 12, generator=generator, dtype=dtype)
    labels = (inputs @ torch.randn(12, classes, generator=generator, dtype=dtype)).argmax(1)
    return MergeData(inputs[:samples], labels[:samples], inputs[samples:], labels[samples:])


def train_sources(kind: str, count: int, data: MergeData, steps: int = 60, trunk: int = 20) -> list[nn.Module]:
    """Networks that share a short trunk and then part ways, each on its own half of the data."""
    base = make_sources(kind, 1)[0]
    _fit(base, data.train_inputs, data.train_labels, trunk, 0)
    sources = []
    for number in range(count):
        source = make_sources(kind, 1)[0]
        source.load_state_dict(base.state_dict())
        half = slice(number % 2, None, 2)
        _fit(source, data.train_inputs[half], data.train_labels[half], steps, number + 1)
        sources.append(source.eval())
    return sources


def _fit(network: nn.Module, inputs: Tensor, labels: Tensor, steps: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.Adam(network.parameters(), lr=0.02)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # which dropout draws from
        for _ in range(steps):
            chosen = torch.randint(len(inputs), (32,), generator=generator)
            optimiser.zero_grad()
            nn.functional.cross_entropy(network(inputs[chosen]), labels[chosen]).backward()
            optimiser.step()
