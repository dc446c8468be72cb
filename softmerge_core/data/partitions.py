"""Shards: the samples of a data set split among clients, at random, in uneven shares of classes, or a few classes each.

Only labels are needed, and only numpy, so a page can show the shards before anything runs.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from softmerge_core.errors import SettingsError
from softmerge_core.settings import Settings, setting

ShardKind = Literal["iid", "dirichlet", "classes"]
FEWEST = 2  # the fewest samples that a client may get


class ShardSettings(Settings):
    """The settings of splitting samples among clients."""

    kind: ShardKind = setting(
        "dirichlet",
        "Shards",
        "How samples are split among clients: all alike, uneven shares of the classes, or a few classes each.",
    )
    alpha: float = setting(
        0.1,
        "Alpha",
        "The Dirichlet's alpha: with 0.1 a client has mostly one to three classes, with 100 all are nearly alike.",
        gt=0,
        le=1e4,
    )
    classes: int = setting(2, "Classes each", "The number of classes that each client gets.", ge=1, le=10_000)


def shards(labels: np.ndarray, clients: int, settings: ShardSettings, seed: int) -> list[np.ndarray]:
    """Return the positions in ``labels`` [N] (whole numbers from 0) of each client's samples, int64, each sample once.

    iid: equal parts of a random order. dirichlet: equal parts; each client has its own class shares
    q ~ Dir(alpha, ..., alpha), drawn without replacement, and once a class is used up the others take its place
    (Hsu et al. 2019, arXiv 1909.06335). classes: each client gets ``settings.classes`` classes, and each class is split
    equally among the clients that have it (McMahan et al. 2017, arXiv 1602.05629). The same seed gives the same shards.
    Raises SettingsError if a client would get fewer than FEWEST samples, or if the classes are too few or too many.
    """
    labels = np.asarray(labels).astype(np.int64)
    if clients < 1 or len(labels) < FEWEST * clients:
        raise SettingsError(
            f"clients: expected at least 1, with {FEWEST} samples each, got {clients} clients for {len(labels)} samples"
        )
    generator = np.random.default_rng(seed)
    if settings.kind == "dirichlet":
        parts = _dirichlet(labels, clients, settings.alpha, generator)
    elif settings.kind == "classes":
        parts = _by_class(labels, clients, settings.classes, generator)
    else:
        parts = np.array_split(generator.permutation(len(labels)), clients)
    _check_sizes(parts)
    return [np.sort(part).astype(np.int64) for part in parts]


def class_counts(labels: np.ndarray, parts: Sequence[np.ndarray], classes: int) -> tuple[tuple[int, ...], ...]:
    """Return [clients][classes], the number of samples of each class that every client has."""
    return tuple(tuple(map(int, np.bincount(labels[part], minlength=classes))) for part in parts)


def _check_sizes(parts: Sequence[np.ndarray]) -> None:
    for number, part in enumerate(parts, 1):
        if len(part) < FEWEST:
            raise SettingsError(f"shards: expected at least {FEWEST} samples a client, got {len(part)} for {number}")


def _pools(labels: np.ndarray, generator: np.random.Generator) -> list[np.ndarray]:
    """Return, for every class that occurs, its positions in random order."""
    return [generator.permutation(np.flatnonzero(labels == label)) for label in np.unique(labels)]


def _dirichlet(labels: np.ndarray, clients: int, alpha: float, generator: np.random.Generator) -> list[np.ndarray]:
    pools = _pools(labels, generator)
    left = np.array([len(pool) for pool in pools])
    parts = []
    for size in (len(part) for part in np.array_split(labels, clients)):
        taken = _take(size, generator.dirichlet(np.full(len(pools), alpha)), left, generator)
        starts = [len(pool) - rest for pool, rest in zip(pools, left, strict=True)]
        left = left - taken
        chosen = [pool[a : a + n] for pool, a, n in zip(pools, starts, taken, strict=True)]
        parts.append(np.concatenate(chosen))
    return parts


def _take(size: int, wish: np.ndarray, left: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Return [classes], ``size`` samples in the shares of ``wish``, never more than are ``left``."""
    taken = np.zeros_like(left)
    while taken.sum() < size:
        rest = left - taken
        share = np.where(rest > 0, wish, 0.0)
        share = share if np.isfinite(share).all() and share.sum() > 1e-9 else rest.astype(float)
        drawn = generator.multinomial(size - taken.sum(), share / share.sum())
        taken = taken + np.minimum(drawn, rest)
    return taken


def _by_class(labels: np.ndarray, clients: int, each: int, generator: np.random.Generator) -> list[np.ndarray]:
    pools = _pools(labels, generator)
    if each > len(pools):
        raise SettingsError(
            f"classes: expected at most the {len(pools)} that the data have, got {each} for each client"
        )
    if clients * each < len(pools):
        raise SettingsError(
            f"classes: expected enough for all {len(pools)} classes to be dealt, "
            f"got {each} for each of {clients} clients"
        )
    owners: list[list[int]] = [[] for _ in pools]
    for client in generator.permutation(clients):
        rarest = np.lexsort((generator.random(len(pools)), np.array([len(owner) for owner in owners])))
        for label in rarest[:each]:
            owners[label].append(int(client))
    pieces: list[list[np.ndarray]] = [[] for _ in range(clients)]
    for pool, owner in zip(pools, owners, strict=True):
        for client, piece in zip(owner, np.array_split(pool, len(owner)), strict=True):
            pieces[client].append(piece)
    return [np.concatenate(piece) for piece in pieces]
