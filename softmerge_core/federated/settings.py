"""What a federation is and what may be overlaid on it; plain values, no torch."""

from typing import Literal

from softmerge_core.data.partitions import ShardSettings
from softmerge_core.settings import AttackKind, DataSpec, Frozen, Granularity, Settings, setting

Aggregation = Literal["mean", "median", "trimmed_mean", "krum", "soft", "honest"]
AGGREGATIONS: dict[str, str] = {
    "mean": "Mean",
    "median": "Median",
    "trimmed_mean": "Trimmed mean",
    "krum": "Krum",
    "soft": "Soft merge",
    "honest": "Honest only",
}


class FederationSettings(Settings):
    """How rounds go, on clients and on the server."""

    clients: int = setting(10, "Clients", "How many clients there are.", ge=1, le=200)
    rounds: int = setting(20, "Rounds", "How often clients train and the server merges.", ge=1, le=2000)
    participation: float = setting(
        1.0, "Participation", "Share of the clients that take part in a round.", ge=0, le=1, more=True
    )
    local_epochs: int = setting(5, "Local epochs", "Passes of a client over its shard in a round.", ge=1, le=1000)
    learning_rate: float = setting(0.15, "Learning rate", "Step size of the clients' SGD.", gt=0, le=1e30, more=True)
    batch_size: int = setting(50, "Batch size", "Samples per local step.", ge=1, le=65_536, more=True)
    momentum: float = setting(
        0.0,
        "Momentum",
        "Of the clients' SGD; 0 by default, for SCAFFOLD and FedDyn read the path of plain SGD as a gradient.",
        ge=0,
        lt=1,
        more=True,
    )
    malicious: int = setting(0, "Malicious clients", "So many clients, the last ones, send spoiled weights.", ge=0)
    attack: AttackKind = setting("extreme", "Attack", "What malicious clients do to the weights they send.")
    strength: float | None = setting(
        None, "Strength", "Of the attack; none means what is usual for it.", ge=0, le=1e6, more=True
    )
    server_samples: int = setting(
        200,
        "Server samples",
        "Training samples that no client has: half train the gates of a soft merge, half judge it.",
        ge=10,
        le=100_000,
        more=True,
    )
    granularity: Granularity = setting(
        "model", "Gates of a soft merge", "What one gate of the server's soft merge covers.", more=True
    )
    merge_steps: int = setting(
        100, "Gate steps", "Gate-training steps of the server's soft merge in a round.", ge=1, le=100_000, more=True
    )
    scope_weight: float = setting(
        0.1, "Scope weight", "Of the KL penalty toward the fused scope, where a run aligns it.", ge=0, le=1e4, more=True
    )
    seed: int = setting(
        0, "Seed", "Starts the shards, the weights and the order of samples.", ge=0, le=2**31 - 1, more=True
    )


class Federation(Frozen):
    """Who learns what from which data: all but the algorithm, shared by everything that is overlaid."""

    data: DataSpec = setting(DataSpec(), "Data", "The samples that are dealt to clients, and the test data.")
    network: str = setting("cnn1d", "Network", "The architecture, by name.")
    shards: ShardSettings = setting(ShardSettings(), "Shards", "How samples are dealt.")
    settings: FederationSettings = setting(FederationSettings(), "Settings", "How rounds go.")


class FederatedRun(Frozen):
    """One of the overlaid runs: an algorithm, with or without scope alignment, and how the server aggregates."""

    algorithm: str = setting("fedavg", "Algorithm", "By name.")
    scope: bool = setting(False, "Scope alignment", "Clients are pulled toward the fused scope that the server sends.")
    aggregation: Aggregation = setting("mean", "Aggregation", "How the server merges what clients send.")
    settings: dict[str, float] = setting({}, "Settings", "The algorithm's own.")

    @property
    def key(self) -> str:
        """What tells it from the others: "scaffold", "fedavg+scope", "fedavg/soft"."""
        merged = "" if self.aggregation == "mean" else f"/{self.aggregation}"
        return f"{self.algorithm}{'+scope' if self.scope else ''}{merged}"
