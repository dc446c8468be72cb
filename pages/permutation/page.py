"""The Permutation page: hidden units change places by hand, and alignment undoes it."""

from dataclasses import dataclass

import streamlit as st

from pages.permutation.hand import KEPT, hand, standing
from pages.permutation.matching import answer_to
from pages.permutation.networks import is_drawable, layers_of, samples_of
from pages.permutation.orders import as_texts, from_texts
from pages.shared.choose.form import one_of
from pages.shared.choose.linked import linked, unlink
from pages.shared.choose.sources import model_text, pick_family
from pages.shared.show.copy_link import page_head
from pages.shared.show.page_state import beside, refuse
from pages.shared.show.site_map import page_at
from pages.shared.show.text import plain
from pages.shared.show.theme import landing
from softmerge_core.errors import SettingsError, SoftMergeError
from softmerge_core.experiments.words import clipped, sentence
from softmerge_core.numbers import usual_spaces
from softmerge_core.zoo import FamilyInfo, ModelInfo, slug

PURPOSE = (
    "Shuffle the hidden units of a trained network by hand: its function stays, but its average with the original "
    "breaks. Then let alignment find who belongs where."
)
KEY = "permutation-"
FIRST = "spirals-mlp-independent"
SAME = "same"
ORDER = "order"  # of the units, in links


@dataclass(frozen=True)
class Pair:
    """Two networks of one family; they may be one and the same."""

    family: FamilyInfo
    first: ModelInfo
    second: ModelInfo

    @property
    def names(self) -> tuple[str, str]:
        """What specs call them."""
        return self.family.source(self.first), self.family.source(self.second)


def page() -> None:
    """Draw the page."""
    page_head("Permutation", PURPOSE)
    pair = _pick_pair()
    landing()
    if pair is None:
        return
    try:
        first, second = map(layers_of, pair.names)
    except SoftMergeError as error:
        st.error(plain(sentence(str(error)), 400), icon=":material/error:")
        return
    hidden = [layer["name"] for layer in first[:-1]]
    sizes = [layer["rows"] for layer in first[:-1]]
    _read_link(sizes)
    about = {
        "sign": [*pair.names, *sizes],
        "first": {"title": pair.first.title, "layers": first},
        "second": None if pair.second == pair.first else {"title": pair.second.title, "layers": second},
        "trunk": pair.family.trunk is not None,
        "slug": slug(pair.family.name),
        "samples": samples_of(pair.family.dataset),
    }
    # Not in a fragment: a browser that tells the order and a choice above at once would ask for the fragment alone.
    hand(about, standing(sizes), answer_to(*pair.names, hidden, sizes))
    _lead_on(pair)


def _pick_pair() -> Pair | None:
    """The family, its network whose units are moved, and what it is averaged with."""
    left, right = st.columns(2, gap="large")
    with left:
        family = pick_family(key=f"{KEY}family", first=FIRST, only=is_drawable)
    if family is None:
        return None
    models = {model.name: model for model in (*family.models, *([family.base] if family.base else []))}
    with right:
        first = one_of(
            st.selectbox,
            "First network",
            list(models),
            format_func=lambda name: model_text(models[name]) if name in models else name,
            key=f"{KEY}first-{family.name}",
            bind="query-params",
            help="The network that stays as it is; the second one is averaged with it, unit by unit.",
        )
        titles = {SAME: "The same one, shuffled"}
        titles |= {name: _other(family, model) for name, model in models.items() if name != first}
        second = one_of(
            st.pills,
            "Second network",
            list(titles),
            format_func=lambda name: titles.get(name, name),
            key=f"{KEY}second-{family.name}-{first}",
            bind="query-params",
            wrap=True,
            help="Whose units you move: a copy of the first one, or another network, for which no order is right.",
        )
    return Pair(family, models[first], models[first if second == SAME else second])


def _other(family: FamilyInfo, model: ModelInfo) -> str:
    """Another network in the list of second ones, and in links."""
    title = usual_spaces(model.title)
    if model == family.base:
        return title
    return f"{title}, of the same trunk" if family.trunk else f"{title}, trained apart"


def _read_link(sizes: list[int]) -> None:
    """Take the order of units that the link with which the page was opened asks for; links hold the one there is."""
    beside(ORDER, lambda: as_texts(standing(sizes)))
    texts = linked(ORDER)
    if not texts:
        return
    unlink(ORDER)
    try:
        st.session_state[KEPT] = from_texts(texts, sizes)
    except SettingsError as error:
        refuse(ORDER, " ".join(texts), str(error))


def way_on(pair: Pair) -> dict[str, ModelInfo]:
    """The models by their roles on the Connectivity page, which wants three that differ; none of a family of one."""
    others = [model for model in pair.family.models if model != pair.first]
    if pair.second != pair.first:
        others = [pair.second, *(model for model in others if model != pair.second)]
    return dict(zip(("from", "to", "third"), (pair.first, *others), strict=False)) if others else {}


def _lead_on(pair: Pair) -> None:
    """The way to the whole path between two networks, before and after they are aligned."""
    roles, family = way_on(pair), pair.family
    if not roles:
        return
    if st.button(
        f"Walk from {plain(roles['from'].title)} to {plain(roles['to'].title)}, aligned or not",
        icon=":material/timeline:",
        type="tertiary",
        key=f"{KEY}walk",
        help="The average is only the middle of a path: the Connectivity page measures all of it.",
    ):
        chosen = {f"connectivity-{role}-{family.name}": model_text(model) for role, model in roles.items()}
        query = {"family": usual_spaces(clipped(family.title, 120))} | chosen  # as the address has it
        st.switch_page(page_at("connectivity"), query_params=query)
