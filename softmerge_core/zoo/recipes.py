"""What the zoo is made of: one entry a family. ``python -m softmerge_core zoo build`` trains them."""

from dataclasses import dataclass, field

from softmerge_core.settings import AttackSettings, TrainSettings


@dataclass(frozen=True)
class Recipe:
    """How one family is trained: from one ``trunk`` (or each from its own seed), then each by its own settings.

    ``attacks``: which sources (from 0) are spoiled afterwards; ``joint``: how one network is trained from its own seed
    on all that they saw between them; ``titles``: what the sources are called, by default what their settings tell.
    """

    name: str
    title: str
    description: str
    dataset: str
    network: str
    sources: tuple[TrainSettings, ...]
    trunk: TrainSettings | None = None
    attacks: dict[int, AttackSettings] = field(default_factory=dict)
    joint: TrainSettings | None = None
    titles: tuple[str, ...] = ()


def _seeds(count: int, **settings: float) -> tuple[TrainSettings, ...]:
    """``count`` times the same settings, with seeds 1, 2, ..."""
    return tuple(TrainSettings(seed=seed + 1, **settings) for seed in range(count))


def _noisy(shares: tuple[float, ...], **settings: float) -> tuple[TrainSettings, ...]:
    return tuple(TrainSettings(seed=index + 1, label_noise=share, **settings) for index, share in enumerate(shares))


def _specialists(halves: tuple[tuple[int, ...], ...], **settings: float) -> tuple[TrainSettings, ...]:
    return tuple(TrainSettings(seed=index + 1, classes=half, **settings) for index, half in enumerate(halves))


SKILLS = (tuple(range(10)), tuple(range(10, 20)), tuple(range(20, 29)))  # digits, clothes, emoji
HALVES = ((0, 1, 2, 3, 4), (5, 6, 7, 8, 9), (0, 2, 4, 6, 8), (1, 3, 5, 7, 9))
EXTREME = AttackSettings(kind="extreme", strength=50, seed=1)
NOISE = AttackSettings(kind="noise", strength=3, seed=2)
SIGN_FLIP = AttackSettings(kind="sign_flip")

CNN_TRUNK = TrainSettings(epochs=5, batch_size=100, learning_rate=0.005)  # 200 steps
SHARD_TRUNK = TrainSettings(epochs=5, batch_size=100, learning_rate=0.01)  # 200 steps
CNN_SHARD = {"epochs": 19, "batch_size": 100, "learning_rate": 0.025, "share": 0.4}
CNN_FULL = {"epochs": 15, "batch_size": 100, "learning_rate": 0.01}

EXPERT = {"epochs": 20, "batch_size": 50, "learning_rate": 0.003}
MLP_TRUNK = TrainSettings(epochs=1, batch_size=50, learning_rate=0.001)
MLP_FULL = {"epochs": 10, "batch_size": 50, "learning_rate": 0.001}

SHARED = "All start from one trunk and go on alone, each on its own part of the data: one basin, different strengths."
INDEPENDENT = "Each starts from its own random weights: their channels do not correspond, so averaging destroys them."

RECIPES = (
    Recipe(
        "mnist1d-cnn-shared-trunk",
        "MNIST-1D CNN, shared trunk",
        SHARED,
        "mnist1d",
        "cnn1d",
        _seeds(8, **CNN_SHARD),
        SHARD_TRUNK,
    ),
    Recipe(
        "mnist1d-cnn-independent",
        "MNIST-1D CNN, independent seeds",
        INDEPENDENT,
        "mnist1d",
        "cnn1d",
        _seeds(4, **CNN_FULL),
    ),
    Recipe(
        "mnist1d-cnn-label-noise",
        "MNIST-1D CNN, label noise",
        "From one trunk, but 0, 20, 40 and 60 % of the labels each has seen are random: a merge must tell them apart.",
        "mnist1d",
        "cnn1d",
        _noisy((0.0, 0.2, 0.4, 0.6), **CNN_FULL),
        CNN_TRUNK,
    ),
    Recipe(
        "mnist1d-cnn-specialists",
        "MNIST-1D CNN, specialists",
        "From one trunk, each goes on with only half of the digits and forgets the others.",
        "mnist1d",
        "cnn1d",
        _specialists(HALVES, epochs=5, batch_size=100, learning_rate=0.005),
        CNN_TRUNK,
    ),
    Recipe(
        "mnist1d-cnn-poisoned-1",
        "MNIST-1D CNN, 1 of 4 poisoned",
        "Four sources of the shared trunk; the last one's weights are blown up fifty-fold, with noise.",
        "mnist1d",
        "cnn1d",
        _seeds(4, **CNN_SHARD),
        SHARD_TRUNK,
        {3: EXTREME},
    ),
    Recipe(
        "mnist1d-cnn-poisoned-3",
        "MNIST-1D CNN, 3 of 4 poisoned",
        "Four sources of the shared trunk; three are spoiled: blown up fifty-fold, drowned in noise, signs flipped.",
        "mnist1d",
        "cnn1d",
        _seeds(4, **CNN_SHARD),
        SHARD_TRUNK,
        {1: EXTREME, 2: NOISE, 3: SIGN_FLIP},
    ),
    Recipe(
        "mnist1d-lstm-shared-trunk",
        "MNIST-1D LSTM, shared trunk",
        SHARED,
        "mnist1d",
        "lstm",
        _seeds(4, epochs=20, batch_size=50, learning_rate=0.01, share=0.4),
        TrainSettings(epochs=5, batch_size=100, learning_rate=0.01),
    ),
    Recipe(
        "digits-vgg-label-noise",
        "Digits VGG, label noise",
        "From one trunk, but 0, 20, 40 and 60 % of the labels each has seen are random.",
        "digits",
        "vgg",
        _noisy((0.0, 0.2, 0.4, 0.6), epochs=12, batch_size=50, learning_rate=0.003),
        TrainSettings(epochs=4, batch_size=50, learning_rate=0.002),
    ),
    Recipe(
        "digits-resnet-specialists",
        "Digits ResNet, specialists",
        "From one trunk, each goes on with only half of the digits; BatchNorm is estimated again after a merge.",
        "digits",
        "resnet",
        _specialists(HALVES, epochs=3, batch_size=25, learning_rate=0.002),
        TrainSettings(epochs=2, batch_size=50, learning_rate=0.002),
    ),
    Recipe(
        "digits-resnet-poisoned-1",
        "Digits ResNet, 1 of 4 poisoned",
        "From one trunk, each on a fifth of the data; then the signs of the last one's weights are flipped.",
        "digits",
        "resnet",
        _seeds(4, epochs=8, batch_size=25, learning_rate=0.003, share=0.2),
        TrainSettings(epochs=1, batch_size=50, learning_rate=0.002),
        {3: SIGN_FLIP},
    ),
    Recipe(
        "digits-vit-shared-trunk",
        "Digits ViT, shared trunk",
        SHARED,
        "digits",
        "vit",
        _seeds(4, epochs=20, batch_size=25, learning_rate=0.003, share=0.2),
        TrainSettings(epochs=5, batch_size=50, learning_rate=0.002),
    ),
    Recipe(
        "spirals-mlp-shared-trunk",
        "Spirals MLP, shared trunk",
        SHARED,
        "spirals",
        "mlp",
        _seeds(4, epochs=60, batch_size=25, learning_rate=0.02, share=0.2),
        TrainSettings(epochs=10, batch_size=50, learning_rate=0.01),
    ),
    Recipe(
        "spirals-mlp-independent",
        "Spirals MLP, independent seeds",
        INDEPENDENT,
        "spirals",
        "mlp",
        _seeds(4, epochs=30, batch_size=50, learning_rate=0.01),
    ),
    Recipe(
        "spirals-mlp-wide",
        "Spirals MLP, twice as wide",
        "As the other MLPs of the spirals, but of layers twice as wide: optimal transport bridges the two.",
        "spirals",
        "mlp_wide",
        _seeds(2, epochs=30, batch_size=50, learning_rate=0.01),
    ),
    Recipe(
        "moons-mlp-label-noise",
        "Moons MLP, label noise",
        "From one trunk, but 0, 20, 40 and 60 % of the labels each has seen are random.",
        "moons",
        "mlp",
        _noisy((0.0, 0.2, 0.4, 0.6), epochs=30, batch_size=25, learning_rate=0.02),
        TrainSettings(epochs=3, batch_size=50, learning_rate=0.01),
    ),
    Recipe(
        "skills-mlp-experts",
        "Three skills, one expert each",
        "From one weak trunk, three go on alone: on digits, on clothes and on emoji. None can do the others' work.",
        "skills",
        "mlp3",
        _specialists(SKILLS, **EXPERT),
        TrainSettings(epochs=3, batch_size=50, learning_rate=0.001, share=0.1),
        joint=TrainSettings(**EXPERT),
        titles=("Digits expert", "Clothes expert", "Emoji expert"),
    ),
    Recipe(
        "fashion-mlp-independent",
        "Fashion MLP, independent pair",
        INDEPENDENT,
        "fashion",
        "mlp3",
        _seeds(2, **MLP_FULL),
    ),
    Recipe(
        "fashion-cnn-shared-trunk",
        "Fashion CNN, shared trunk",
        SHARED,
        "fashion",
        "cnn2d",
        _seeds(4, epochs=12, batch_size=50, learning_rate=0.005, share=0.25),
        TrainSettings(epochs=1, batch_size=50, learning_rate=0.001),
        joint=TrainSettings(epochs=12, batch_size=50, learning_rate=0.001),
    ),
    Recipe(
        "fashion-mlp-specialists",
        "Fashion MLP, specialists",
        "From one trunk, each goes on with only half of the kinds of clothes and forgets the others.",
        "fashion",
        "mlp",
        _specialists(HALVES, epochs=5, batch_size=50, learning_rate=0.002),
        MLP_TRUNK,
        joint=TrainSettings(**MLP_FULL),
    ),
    Recipe(
        "fashion-mlp-label-noise",
        "Fashion MLP, label noise",
        "From one trunk, but 0, 20, 40 and 60 % of the labels each has seen are random.",
        "fashion",
        "mlp",
        _noisy((0.0, 0.2, 0.4, 0.6), **MLP_FULL),
        MLP_TRUNK,
    ),
    Recipe(
        "fashion-mlp-poisoned-1",
        "Fashion MLP, 1 of 4 poisoned",
        "From one trunk, each on a quarter of the data; the last one's weights are blown up fifty-fold, with noise.",
        "fashion",
        "mlp",
        _seeds(4, **MLP_FULL, share=0.25),
        MLP_TRUNK,
        {3: EXTREME},
    ),
)
