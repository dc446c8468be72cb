"""The settings of a federation and of the runs that are overlaid on it. Plain values; loads no torch."""

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
    """The settings of all rounds, on clients and on the server."""

    clients: int = setting(10, "Clients", "The number of clients.", ge=1, le=200)
    rounds: int = setting(
        20, "Rounds", "The number of rounds: in each one clients train and the server merges.", ge=1, le=2000
    )
    participation: float = setting(
        1.0, "Participation", "The share of the clients that take part in each round.", ge=0, le=1, more=True
    )
    local_epochs: int = setting(
        5, "Local epochs", "How many times a client goes through its own samples in each round.", ge=1, le=1000
    )
    learning_rate: float = setting(
        0.15, "Learning rate", "The step size of the clients' SGD.", gt=0, le=1e30, more=True
    )
    batch_size: int = setting(50, "Batch size", "The number of samples in each local step.", ge=1, le=65_536, more=True)
    momentum: float = setting(
        0.0,
        "Momentum",
        "The momentum of the clients' SGD. SCAFFOLD and FedDyn expect 0: they use the path of plain SGD as a gradient.",
        ge=0,
        lt=1,
        more=True,
    )
    weighting: Literal["samples", "equal"] = setting(
        "samples",
        "Weights of clients",
        "The mean weighs clients by their samples, as in FedAvg's paper, or equally, as in SCAFFOLD's and FedDyn's.",
        more=True,
    )
    malicious: int = setting(
        0, "Malicious clients", "The number of clients that send spoiled weights: those with the highest numbers.", ge=0
    )
    attack: AttackKind = setting("extreme", "Attack", "How malicious clients spoil the weights they send.")
    strength: float | None = setting(
        None, "Strength", "The strength of the attack; if empty, the usual one.", ge=0, le=1e6, more=True
    )
    server_samples: int = setting(
        200,
        "Server samples",
        "Training samples that only the server has: half of them train the gates of a soft merge, half judge it.",
        ge=10,
        le=100_000,
        more=True,
    )
    granularity: Granularity = setting(
        "model",
        "Gates of a soft merge",
        "The part of the network that one gate of the server's soft merge controls.",
        more=True,
    )
    merge_steps: int = setting(
        100,
        "Gate steps",
        "The number of gate-training steps in each of the server's soft merges.",
        ge=1,
        le=100_000,
        more=True,
    )
    scope_weight: float = setting(
        0.1,
        "Scope weight",
        "The weight of the KL penalty toward the fused scope, in runs with scope alignment.",
        ge=0,
        le=1e4,
        more=True,
    )
    seed: int = setting(
        0,
        "Seed",
        "Fixes the random choices: the shards, the first weights and the order of samples.",
        ge=0,
        le=2**31 - 1,
        more=True,
    )


class Federation(Frozen):
    """The part of a spec that all overlaid runs share: data, network, shards and the settings of rounds."""

    data: DataSpec = setting(
        DataSpec(), "Data", "The training samples that are split among the clients, and the test samples."
    )
    network: str = setting("cnn1d", "Network", "The architecture, by name.")
    shards: ShardSettings = setting(ShardSettings(), "Shards", "How the samples are split among clients.")
    settings: FederationSettings = setting(FederationSettings(), "Settings", "The settings of all rounds.")

    def for_run(self, run: "FederatedRun") -> "Federation":
        """The federation with the run's own learning rate, if it has one."""
        if run.learning_rate is None:
            return self
        settings = self.settings.model_copy(update={"learning_rate": run.learning_rate})
        return self.model_copy(update={"settings": settings})


class FederatedRun(Frozen):
    """One of the overlaid runs: an algorithm, with or without scope alignment, and a way of aggregation."""

    algorithm: str = setting("fedavg", "Algorithm", "The federated algorithm, by name.")
    scope: bool = setting(False, "Scope alignment", "Pull clients toward the fused scope that the server sends.")
    aggregation: Aggregation = setting("mean", "Aggregation", "How the server merges what clients send.")
    settings: dict[str, float] = setting({}, "Settings", "The algorithm's own settings.")
    learning_rate: float | None = setting(
        None, "Learning rate", "The step size of this run's clients; if empty, that of all runs.", gt=0, le=1e30
    )

    @property
    def key(self) -> str:
        """The run's name among the others, for example "scaffold", "fedavg+scope" or "fedavg/soft"."""
        merged = "" if self.aggregation == "mean" else f"/{self.aggregation}"
        return f"{self.algorithm}{'+scope' if self.scope else ''}{merged}"
