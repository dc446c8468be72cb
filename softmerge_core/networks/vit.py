"""A small vision transformer (Dosovitskiy et al. 2020, arXiv 2010.11929), pre-norm, with mean pooling."""

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu

from softmerge_core.networks.base import Network


class Embedding(nn.Module):
    """Patches as tokens, each with a learned position."""

    def __init__(self, channels: int, tokens: int, patch: int, width: int) -> None:
        super().__init__()
        self.patches = nn.Conv2d(channels, width, patch, stride=patch)
        self.position = nn.Parameter(torch.randn(1, tokens, width) * 0.1)

    def forward(self, images: Tensor) -> Tensor:
        """Return tokens [N, tokens, width] of images [N, channels, height, width]."""
        tokens: Tensor = self.patches(images).flatten(2).transpose(1, 2) + self.position
        return tokens


class Block(nn.Module):
    """Attention, then a two-layer perceptron, each on normalised tokens and added to them."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.norm2 = nn.LayerNorm(width)
        self.expand = nn.Linear(width, 2 * width)
        self.contract = nn.Linear(2 * width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return tokens [N, tokens, width] of tokens of the same shape."""
        normed = self.norm1(tokens)
        tokens = tokens + self.attention(normed, normed, normed, need_weights=False)[0]
        found: Tensor = tokens + self.contract(gelu(self.expand(self.norm2(tokens))))
        return found


class ViT(nn.Module):
    """Embedding, two transformer blocks, a last normalisation, and a linear head on the mean token."""

    def __init__(self, input_shape: tuple[int, ...], classes: int, width: int = 32, heads: int = 4) -> None:
        super().__init__()
        channels, height, breadth = input_shape
        patch = max(2, min(height, breadth) // 8)
        self.embedding = Embedding(channels, (height // patch) * (breadth // patch), patch, width)
        self.block1 = Block(width, heads)
        self.block2 = Block(width, heads)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, classes)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return logits [N, classes] of inputs [N, channels, height, width]."""
        tokens = self.block2(self.block1(self.embedding(inputs)))
        logits: Tensor = self.head(self.norm(tokens).mean(1))
        return logits


def build(input_shape: tuple[int, ...], classes: int) -> nn.Module:
    """Return a ViT for images of ``input_shape`` = (channels, height, width)."""
    return ViT(input_shape, classes)


NETWORK = Network(name="vit", title="Small vision transformer", takes={"image": 8}, build=build)
