"""The Scope page: networks trained without and with a pull toward one weight scope, and the barrier between them."""

from pages.scope.outcome import outcome, verdict
from pages.scope.pictures import scope_pictures
from pages.scope.setup import scope_setup, state_of
from pages.shared.runs.page import RunPage

page = RunPage(
    kind="scope",
    title="Scope",
    purpose="Train networks apart, once as they are and once with each layer's weights pulled toward a common mean "
    "and spread, and watch the barrier between them.",
    start="Start training",
    idle="Nothing has been trained here yet: press Start training, and watch whether a barrier rises.",
    setup=scope_setup,
    state_of=state_of,
    verdict=verdict,
    pictures=scope_pictures,
    outcome=outcome,
    resumable=("interrupted",),
)
