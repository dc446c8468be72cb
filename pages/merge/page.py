"""The Merge page: choose sources and parts, start, and watch gates learn which source to trust."""

from pages.merge.branching import change_button
from pages.merge.moments import seen
from pages.merge.outcome import outcome, verdict
from pages.merge.pictures import merge_pictures
from pages.merge.setup import merge_setup, state_of
from pages.shared.runs.page import RunPage

page = RunPage(
    kind="merge",
    title="Soft Merge",
    purpose="Merge trained networks into one by learning, part by part, which of them to trust. "
    "Only gates are trained; the networks stay as they are. The method: "
    "[Soft merging, arXiv 2309.12259](https://arxiv.org/abs/2309.12259).",
    start="Start merging",
    idle="Nothing has run yet: press Start, and watch the gates learn which source to trust.",
    setup=merge_setup,
    state_of=state_of,
    seen=seen,
    verdict=verdict,
    pictures=merge_pictures,
    outcome=outcome,
    steered=change_button,
)
