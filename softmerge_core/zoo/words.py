"""How a model was trained, in one plain sentence."""

from softmerge_core.attacks import find_attack
from softmerge_core.numbers import decimal_text, percent_text, usual_spaces
from softmerge_core.settings import AttackSettings, TrainSettings

LONG = 5  # classes: more in a row are told by their ends


def how_trained(
    settings: TrainSettings,
    trunk: TrainSettings | None = None,
    attack: AttackSettings | None = None,
    start: str = "",
    stopped: str = "",
) -> str:
    """One sentence. ``start``: what it started from, in words; ``stopped``: why it ended early, if it did."""
    if trunk is not None:
        start = f"the trunk all share ({_epochs(trunk)} on {_seen(trunk).removeprefix('its own ')})"
    begun = f"Started from {start or f'random weights (seed {settings.seed})'}, then trained "
    optimiser = "Adam" if settings.optimiser == "adam" else f"SGD with momentum {settings.momentum:g}"
    rate = f"{decimal_text(settings.learning_rate)}{', falling to zero,' if settings.schedule == 'cosine' else ''}"
    sentence = f"{begun}{_epochs(settings)} by {optimiser} at learning rate {rate} on {_seen(settings)}"
    if stopped:
        sentence += f", {stopped}"
    if attack is not None:
        sentence += f"; afterwards {find_attack(attack.kind).past.format(strength=attack.strength)}"
    return usual_spaces(sentence) + "."


def _epochs(settings: TrainSettings) -> str:
    return f"{settings.epochs} epoch{'s' if settings.epochs != 1 else ''}"


def _seen(settings: TrainSettings) -> str:
    """Which samples, in words."""
    share = "all samples" if settings.share == 1 else f"its own {percent_text(settings.share)} of the samples"
    classes = f" of classes {_classes(settings.classes)}" if settings.classes else ""
    noise = f", {percent_text(settings.label_noise)} of whose labels are random" if settings.label_noise else ""
    inputs = f", with noise of {settings.feature_noise:g} SDs on the inputs" if settings.feature_noise else ""
    return share + classes + noise + inputs


def _classes(classes: tuple[int, ...]) -> str:
    """The classes one by one, or the first and the last of a long row."""
    row = classes == tuple(range(classes[0], classes[-1] + 1))
    return f"{classes[0]} to {classes[-1]}" if row and len(classes) > LONG else ", ".join(map(str, classes))


def source_title(index: int, settings: TrainSettings, attack: AttackSettings | None) -> str:
    """A short title: "Source 2, signs flipped"."""
    title = f"Source {index + 1}"
    if settings.classes:
        title += f", classes {' '.join(map(str, settings.classes))}"
    if settings.label_noise:
        title += f", {percent_text(settings.label_noise)} label noise"
    return usual_spaces(title) + (f", {find_attack(attack.kind).mark}" if attack else "")
