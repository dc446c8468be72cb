"""The script that each session of the app runs, and the list of its pages: one line a page."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from pages.classroom.page import page as classroom_page
from pages.compare.page import page as compare_page
from pages.connectivity.page import page as connectivity_page
from pages.federated.page import page as federated_page
from pages.gate.page import page as gate_page
from pages.guide.page import page as guide_page
from pages.learn.page import page as learn_page
from pages.merge.page import page as merge_page
from pages.models.page import page as models_page
from pages.permutation.page import page as permutation_page
from pages.robustness.page import page as robustness_page
from pages.runs.page import page as runs_page
from pages.scope.page import page as scope_page
from pages.shared.runs.following import show_and_let_go
from pages.shared.runs.services import warm_up
from pages.shared.show.copy_link import copy_link
from pages.shared.show.page_state import close_page, open_page
from pages.shared.show.site_map import phone_menu, register_pages
from pages.shared.show.text import plain
from pages.shared.show.theme import page_style, skip_link, type_switch
from pages.shared.teach.panel import lesson_panel, lesson_slot
from pages.step.page import page as step_page
from pages.sweep.page import page as sweep_page

ICON = str(Path(__file__).parent / "shared" / "show" / "icon.svg")
# (page, title, icon) by address, in the order of the navigation; the first is the start page
PAGES: dict[str, tuple[Callable[[], None], str, str]] = {
    "merge": (merge_page, "Merge", "merge"),
    "compare": (compare_page, "Compare", "table_chart"),
    "robustness": (robustness_page, "Robustness", "shield"),
    "connectivity": (connectivity_page, "Connectivity", "timeline"),
    "scope": (scope_page, "Scope", "align_horizontal_center"),
    "federated": (federated_page, "Federated", "hub"),
    "sweep": (sweep_page, "Sweep", "grid_view"),
    "runs": (runs_page, "Runs", "history"),
    "models": (models_page, "Models", "deployed_code"),
    "guide": (guide_page, "Guide", "menu_book"),
    "gate": (gate_page, "The gate", "tune"),
    "classroom": (classroom_page, "Classroom", "school"),
    "step": (step_page, "One step", "slow_motion_video"),
    "permutation": (permutation_page, "Permutation", "shuffle"),
    "learn": (learn_page, "Learn", "school"),
}
# the pages that stand under a word of the navigation and not beside the others
MENUS: dict[str, Sequence[str]] = {"Learn": ("learn", "gate", "permutation", "step", "classroom", "guide")}

ALSO = {  # other words for the pages, as people type them -> the address
    "home": "merge", "index": "merge", "start": "merge", "merging": "merge", "soft-merge": "merge",
    "comparison": "compare", "attack": "robustness", "attacks": "robustness", "poison": "robustness",
    "path": "connectivity", "paths": "connectivity", "mode-connectivity": "connectivity",
    "weight-scope": "scope", "alignment": "scope", "federation": "federated", "federated-learning": "federated",
    "model": "models", "library": "models", "zoo": "models", "run": "runs", "history": "runs", "gallery": "runs",
    "help": "guide", "about": "guide", "sweeps": "sweep", "vary": "sweep",
    "gates": "gate", "hard-concrete": "gate", "the-gate": "gate",
    "class": "classroom", "join": "classroom",
    "one-step": "step", "slow-motion": "step", "explain": "step",
    "permutations": "permutation", "permute": "permutation",
    "units": "permutation", "shuffle": "permutation", "git-re-basin": "permutation",
    "lessons": "learn", "lesson": "learn", "tutorial": "learn", "teach": "learn",
}  # fmt: skip


def site_pages() -> dict[str, StreamlitPage]:
    """The pages by their address; only a session can make them."""
    return {
        path: st.Page(page, title=title, icon=f":material/{icon}:", url_path=path, default=path == next(iter(PAGES)))
        for path, (page, title, icon) in PAGES.items()
    }


def in_menus(pages: Mapping[str, StreamlitPage]) -> dict[str, list[StreamlitPage]]:
    """The pages by the word under which they stand; under "" those that stand beside it."""
    apart = {path for paths in MENUS.values() for path in paths}
    beside = [page for path, page in pages.items() if path not in apart]
    return {"": beside, **{menu: [pages[path] for path in paths if path in pages] for menu, paths in MENUS.items()}}


def main() -> None:
    """Show the page that was asked for; the workers are there already unless the server was started without them."""
    pages = site_pages()
    register_pages(pages)
    page = st.navigation(in_menus(pages), position="top")
    st.set_page_config(page_title=f"{page.title} · Soft Merge", page_icon=ICON, layout="wide")
    warm_up()
    told, taught, body = st.container(), lesson_slot(), st.container()
    open_page(page.url_path)
    type_switch()
    page_style()
    phone_menu()
    with taught:
        lesson_panel(page.url_path or next(iter(pages)))
    with body:
        skip_link()
        show_and_let_go(page.run)
    copy_link()
    if missed := close_page():
        told.warning(plain(missed, 1200), icon=":material/link_off:")


if __name__ == "__main__":
    main()
