"""Activation matching (Git Re-Basin, arXiv 2209.04836, section 3.1; Li et al. 2015, arXiv 1511.07543).

Units are matched by what they do on the same inputs: the assignment with the largest sum of correlations is chosen.
"""

from torch import Tensor, nn

from softmerge_core.alignment.activations import by_group, compare
from softmerge_core.alignment.symmetry.groups import Symmetry
from softmerge_core.alignment.weight_matching import best_assignment


def match_activations(target: nn.Module, source: nn.Module, symmetry: Symmetry, inputs: Tensor) -> dict[str, Tensor]:
    """Return the permutation [size] of each group whose activations can be seen; only ``inputs`` [N, ...] are used.

    Attention heads cannot be seen. They are left out here and can be matched by their weights.
    """
    moments = compare(target, symmetry.places, source, symmetry.places, inputs)
    alike = by_group(symmetry.places, [moment.correlation() for moment in moments])
    return {group.name: best_assignment(alike[group.name]) for group in symmetry.groups if group.name in alike}
