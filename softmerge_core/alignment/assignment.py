"""The best assignment of units to places, freely or in blocks."""

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor


def best_assignment(gain: Tensor) -> Tensor:
    """Return the permutation p [n] that maximises sum_i gain[i, p[i]] for ``gain`` [n, n]; -inf is never taken."""
    _, columns = linear_sum_assignment(gain.double().cpu().numpy(), maximize=True)
    return torch.as_tensor(columns, dtype=torch.int64)


def total(gain: Tensor, order: Tensor) -> float:
    """Return sum_i gain[i, order[i]] for ``gain`` [n, n] and ``order`` [n]."""
    return float(gain.gather(1, order.to(gain.device)[:, None]).sum())


def best_inside(gain: Tensor, blocks: int) -> tuple[Tensor, Tensor]:
    """Return what each block of places gains by each block of units, in the best order inside, and these orders.

    ``gain`` [n, n] is of n units in ``blocks`` B blocks of n / B. The results are [B, B] and [B, B, n / B].
    """
    size = len(gain) // blocks
    tables = gain.double().cpu().view(blocks, size, blocks, size).transpose(1, 2)
    solved = [linear_sum_assignment(table, maximize=True)[1] for row in tables.numpy() for table in row]
    orders = torch.as_tensor(np.stack(solved), dtype=torch.int64).view(blocks, blocks, size)
    return tables.gather(3, orders[..., None]).sum((2, 3)), orders
