"""The spec of an attack: how many of the sources are malicious, and what they send. Light: loads no torch."""

from typing import Literal, NamedTuple, Self

from softmerge_core.attacks import Attack, find_attack
from softmerge_core.errors import SettingsError
from softmerge_core.experiments.admission import check_sources, example_sources, small_sources
from softmerge_core.experiments.base import Spec
from softmerge_core.methods import available_methods, find_method
from softmerge_core.settings import AttackKind, DataSpec, SourceSpec, setting

METHODS = ("average", "median", "trimmed_mean", "krum", "greedy_soup", "soft")
COPY = Attack(
    name="copy",
    title="Copies of one source",
    mark="a copy",
    does="It is replaced by a copy of the first source.",
    sends="the first source's weights, so that these outweigh the others",
    past="it was replaced by a copy of the first source",
)


def attack_of(name: str) -> Attack:
    """The attack called ``name``, which may also be COPY, an attack that takes more than one source."""
    return COPY if name == COPY.name else find_attack(name)


class RobustnessSpec(Spec):
    """The sources, how many of them are malicious, and what those do to their weights."""

    kind: Literal["robustness"] = setting("robustness", "Kind", "Which experiment: malicious sources.")
    sources: tuple[SourceSpec, ...] = setting((), "Sources", "Two or more honest networks of one architecture.")
    data: DataSpec = setting(DataSpec(), "Data", "The samples methods may look at, and are tested on.")
    attack: AttackKind | Literal["copy"] = setting(
        "extreme", "Attack", "What malicious sources do; copy: each sends the first honest source's weights."
    )
    strength: float | None = setting(None, "Strength", "Of the attack; none means what is usual for it.", ge=0, le=1e6)
    malicious: int = setting(1, "Malicious", "How many of the sources, the last ones, are malicious.", ge=0)
    methods: tuple[str, ...] = setting(METHODS, "Methods", "Ways to merge, by name.")
    seed: int = setting(0, "Seed", "Starts the attacks' noise and the methods' random choices.", ge=0, le=2**31 - 1)
    seeds: int = setting(
        1,
        "Seeds",
        "How often an attack with noise and a method with random choices are repeated. Three tell how far seeds lie "
        "apart, and take three times as long.",
        ge=1,
        le=20,
    )

    def settled(self) -> Self:
        """See Spec: the strength in use, and the methods in the order of all methods."""
        strength = strength_of(self) if attack_of(self.attack).graded else None
        methods = tuple(name for name in available_methods() if name in self.methods)
        return self.model_copy(update={"strength": strength, "methods": methods})


class Case(NamedTuple):
    """A number of malicious sources, and the strength of their attack."""

    malicious: int
    strength: float

    @property
    def name(self) -> str:
        """The case in words, as events name it."""
        return f"{self.malicious} malicious, strength {self.strength:g}"


def example() -> RobustnessSpec:
    """Return a spec that runs."""
    sources, data = example_sources()
    return RobustnessSpec(name="Four networks that share a trunk, one of them malicious", sources=sources, data=data)


def small() -> RobustnessSpec:
    """Return a spec that runs in about a second."""
    sources, data = small_sources()
    return RobustnessSpec(sources=sources, data=data, attack="nan", methods=("average", "median"))


def check(spec: RobustnessSpec) -> None:
    """Raise SoftMergeError if the spec cannot run, as far as that is known before any work is done."""
    check_sources(spec.sources, spec.data)
    if spec.malicious >= len(spec.sources):
        raise SettingsError(
            f"malicious: expected fewer than the {len(spec.sources)} sources, so that one is honest, "
            f"got {spec.malicious}"
        )
    for name in spec.methods:
        if "base" in find_method(name).needs:
            raise SettingsError(f"method {name!r} needs a base model, which this experiment does not hand out")
    if not spec.methods:
        raise SettingsError("expected one method or more, got none")


def strength_of(spec: RobustnessSpec) -> float:
    """The spec's strength, or else the attack's usual one; 1 for an attack that is either done or not."""
    attack = attack_of(spec.attack)
    return attack.usual if spec.strength is None or not attack.graded else spec.strength


def seed_of(spec: RobustnessSpec, repeat: int) -> int:
    """The seed of a repetition, counted from 0: the spec's own first, and others far from it after that.

    Each source's attack has the seed after the last source's, so that two repetitions share none.
    """
    return (spec.seed + 100_003 * repeat) % 2**31 if repeat else spec.seed


def repeats(spec: RobustnessSpec, case: Case, method: str) -> int:
    """How often a method is tried in a case: once where neither the attack nor the method draws at random."""
    noisy = case.malicious > 0 and attack_of(spec.attack).random
    return spec.seeds if noisy or find_method(method).random else 1


def chosen_case(spec: RobustnessSpec) -> Case:
    """The case that the spec names; the others are there to compare it with."""
    return Case(spec.malicious, strength_of(spec))


def cases(spec: RobustnessSpec) -> list[Case]:
    """Every number of malicious sources at the chosen strength, then the other strengths at the chosen number."""
    by_number = [Case(number, strength_of(spec)) for number in range(len(spec.sources))]
    if not has_strengths(spec):
        return by_number
    by_strength = [Case(spec.malicious, other) for other in attack_of(spec.attack).strengths]
    return by_number + [case for case in by_strength if case not in by_number]


def has_strengths(spec: RobustnessSpec) -> bool:
    """Whether the attack is tried at several strengths."""
    return bool(attack_of(spec.attack).strengths) and spec.malicious > 0
