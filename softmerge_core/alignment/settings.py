"""The ways to match units. Loads no torch."""

from typing import Literal

How = Literal["none", "weights", "activations"]
