"""The Robustness page: which ways of merging survive malicious sources, and who is to blame."""

from pages.robustness.outcome import outcome, verdict
from pages.robustness.pictures import robustness_pictures
from pages.robustness.setup import robustness_setup, state_of
from pages.shared.runs.page import RunPage

page = RunPage(
    kind="robustness",
    title="Robustness",
    purpose="Let some of the sources be malicious, and see which ways of merging survive and on which sources the "
    "gates close.",
    start="Start attacking",
    idle="Nothing has been attacked yet: press Start attacking, and see which methods survive.",
    setup=robustness_setup,
    state_of=state_of,
    verdict=verdict,
    pictures=robustness_pictures,
    outcome=outcome,
)
