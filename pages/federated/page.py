"""The Federated page: clients that learn together without showing each other their data."""

from pages.federated.outcome import outcome, verdict
from pages.federated.pictures import federated_pictures
from pages.federated.setup import federated_setup, state_of
from pages.shared.runs.page import RunPage

page = RunPage(
    kind="federated",
    title="Federated",
    purpose="Let clients train on samples of their own and a server merge what they send, and see which algorithm "
    "copes with uneven shards and with malicious clients.",
    start="Start rounds",
    idle="Nothing has run yet: press Start rounds, and watch the clients learn together.",
    setup=federated_setup,
    state_of=state_of,
    verdict=verdict,
    pictures=federated_pictures,
    outcome=outcome,
)
