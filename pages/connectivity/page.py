"""The Connectivity page: the paths between trained networks, and the barriers on them."""

from pages.connectivity.outcome import outcome, verdict
from pages.connectivity.pictures import connectivity_pictures
from pages.connectivity.setup import connectivity_setup, state_of
from pages.shared.runs.page import RunPage

page = RunPage(
    kind="connectivity",
    title="Connectivity",
    purpose="Walk from one trained network to another, and see what stands between them and what takes it away.",
    start="Start walking",
    idle="No path has been walked yet: press Start walking, and see what stands between the two models.",
    setup=connectivity_setup,
    state_of=state_of,
    verdict=verdict,
    pictures=connectivity_pictures,
    outcome=outcome,
)
