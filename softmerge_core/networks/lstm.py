"""An LSTM that reads a sequence a few points at a time, or an image row by row."""

from math import prod

from torch import Tensor, nn

from softmerge_core.networks.base import Network

WINDOW = 4  # points read at once: ten steps for 40 points instead of 40


class LSTM(nn.Module):
    """One recurrent layer and a linear head on its last state."""

    def __init__(self, features: int, classes: int, width: int = 48) -> None:
        super().__init__()
        self.features = features
        self.lstm = nn.LSTM(features, width, batch_first=True)
        self.head = nn.Linear(width, classes)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return logits [N, classes] of inputs [N, channels, length] or [N, channels, height, width]."""
        steps = inputs.movedim(1, -1).reshape(inputs.shape[0], -1, self.features)
        states, _ = self.lstm(steps)
        logits: Tensor = self.head(states[:, -1])
        return logits


def build(input_shape: tuple[int, ...], classes: int) -> nn.Module:
    """Return an LSTM for (channels, length), read in windows of 4 where they fit, or (channels, height, width)."""
    channels, *sizes = input_shape
    row = sizes[-1] if len(sizes) > 1 else (WINDOW if sizes[0] % WINDOW == 0 else 1)
    return LSTM(prod((channels, row)), classes)


NETWORK = Network(name="lstm", title="LSTM", takes={"sequence": 1, "image": 1}, build=build)
