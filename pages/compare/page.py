"""The Compare page: the same sources, merged in many ways, side by side."""

from pages.compare.outcome import outcome
from pages.compare.pictures import compare_pictures
from pages.compare.setup import compare_setup, state_of
from pages.shared.runs.page import RunPage

page = RunPage(
    kind="compare",
    title="Compare",
    purpose="Merge the same trained networks in many ways, and see how good each result is and what it costs.",
    start="Start comparing",
    idle="Nothing has been compared yet: press Start comparing, and see how good each way of merging is.",
    setup=compare_setup,
    state_of=state_of,
    pictures=compare_pictures,
    outcome=outcome,
)
