"""The left side of the Federated page: data, clients and their shards, the runs to overlay, malicious clients."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from pages.shared.choose.attack import pick_malicious, pick_strength
from pages.shared.choose.form import form_state, more_fields, one_of, settings_form
from pages.shared.choose.network import dataset_title, pick_dataset, pick_network
from pages.shared.runs.setup import Setup, checked
from pages.shared.show.live_plot import live_plot
from pages.shared.show.theme import current_theme
from softmerge_core.attacks import attacks, find_attack
from softmerge_core.data.partitions import ShardSettings
from softmerge_core.errors import SoftMergeError
from softmerge_core.experiments.federated.spec import FederatedSpec, counts_of
from softmerge_core.federated.algorithms import algorithms
from softmerge_core.federated.dealing import is_malicious
from softmerge_core.federated.settings import AGGREGATIONS, FederationSettings
from softmerge_core.figures.federated import clients_height, shards_figure
from softmerge_core.settings import DataSpec, parse

KEY = "federated-"
SHARDS = {"iid": "All alike", "dirichlet": "Dirichlet", "classes": "By class"}
SCOPES = {"off": (False,), "on": (True,), "both": (False, True)}
MALICIOUS_HELP = "The clients with the highest numbers send spoiled weights; at least one client stays honest."
ROW = 18  # px per client in the picture of the shards


def federated_setup() -> Setup:
    """Draw all widgets on the left and return the spec they describe, or the problem with it."""
    st.header("Data and clients", anchor=False)
    first, second = st.columns(2, gap="small")
    with first:
        dataset = pick_dataset(f"{KEY}dataset", "Its training samples are split among the clients.", default="fashion")
    with second:
        network = pick_network(dataset, f"{KEY}network", default="mlp")
    values: dict[str, Any] = settings_form(FederationSettings, fields=["clients", "rounds"], prefix=KEY)
    shards = _shards()
    picture = st.container(key="picture-dealt", gap="xsmall")
    st.header("Learning together", anchor=False)
    runs = _runs()
    st.header("Malicious clients", anchor=False)
    malicious, problem = _malicious(int(values["clients"] or 1))
    values |= malicious
    with st.expander("More", icon=":material/tune:"):
        skip = ("strength",)
        values |= settings_form(FederationSettings, fields=more_fields(FederationSettings, skip), prefix=KEY)
        values |= settings_form(FederationSettings, fields=["local_epochs"], prefix=KEY)
        data = settings_form(DataSpec, fields=["train_samples"], prefix=KEY)
        own = _own_settings(sorted({run["algorithm"] for run in runs}))
    for run in runs:
        run["settings"] = own.get(run["algorithm"], {})
    setup = Setup(None, problem) if problem else _spec(dataset, network, data, shards, values, runs)
    with picture:
        _dealt(setup)
    return setup


def state_of(spec: FederatedSpec) -> dict[str, Any]:
    """The values of all widgets on the left, by their keys, that describe this spec; what none can say is left out."""
    spec = spec.settled()
    settings, runs = spec.settings, spec.runs
    state = form_state(settings, fields=["clients", "rounds", "local_epochs"], prefix=KEY)
    state |= form_state(settings, fields=more_fields(FederationSettings, ("strength",)), prefix=KEY)
    state |= form_state(spec.data, fields=["train_samples"], prefix=KEY)
    state |= form_state(spec.shards, fields=["alpha", "classes"], prefix=f"{KEY}shards-")
    state |= {f"{KEY}dataset": spec.data.dataset, f"{KEY}network": spec.network, f"{KEY}shards": spec.shards.kind}
    state |= {f"{KEY}malicious": settings.malicious, f"{KEY}attack": settings.attack}
    if settings.strength is not None:
        state[f"{KEY}strength-{settings.attack}"] = settings.strength
    scopes = tuple(sorted({run.scope for run in runs}))
    state[f"{KEY}scope"] = next(name for name, values in SCOPES.items() if values == scopes)
    state[f"{KEY}algorithms"] = list(dict.fromkeys(run.algorithm for run in runs))
    state[f"{KEY}aggregation"] = list(dict.fromkeys(run.aggregation for run in runs))
    for run in runs:
        model = algorithms()[run.algorithm].settings
        state |= form_state(parse(model, run.settings, "settings"), prefix=f"{KEY}{run.algorithm}-")
    return state


def _shards() -> dict[str, Any]:
    """The way samples are split among clients, with its one number."""
    kind = one_of(
        st.segmented_control,
        "Shards",
        list(SHARDS),
        default="dirichlet",
        format_func=lambda name: SHARDS[name],
        key=f"{KEY}shards",
        bind="query-params",
        help=ShardSettings.model_fields["kind"].description,
    )
    field = {"dirichlet": "alpha", "classes": "classes"}.get(str(kind))
    number = settings_form(ShardSettings, fields=[field], prefix=f"{KEY}shards-", columns=1) if field else {}
    return {"kind": kind, **number}


def _runs() -> list[dict[str, Any]]:
    """Every run to overlay: each algorithm with each aggregation, with or without scope alignment or both."""
    names, scope, servers = _algorithms(), _scope(), _servers()
    return [
        {"algorithm": name, "aggregation": server, "scope": aligned}
        for name in algorithms()
        if name in names
        for server in AGGREGATIONS
        if server in servers
        for aligned in SCOPES[scope]
    ]


def _algorithms() -> list[str]:
    known = algorithms()
    return st.pills(
        "Algorithms",
        list(known),
        selection_mode="multi",
        default=["fedavg", "feddyn"],
        format_func=lambda name: known[name].title,
        key=f"{KEY}algorithms",
        bind="query-params",
        wrap=True,
        help="Each one runs on the same shards and seeds. "
        + " ".join(f"{a.title}: {a.summary[:1].lower()}{a.summary[1:]}" for a in known.values()),
    )


def _scope() -> str:
    return str(
        one_of(
            st.segmented_control,
            "Scope alignment",
            list(SCOPES),
            default="both",
            format_func=str.capitalize,
            key=f"{KEY}scope",
            bind="query-params",
            help="In each round the server sends the clients' fused weight scope, and their training is pulled "
            "toward it.",
        )
    )


def _servers() -> list[str]:
    return st.pills(
        "Server aggregation",
        list(AGGREGATIONS),
        selection_mode="multi",
        default=["mean"],
        format_func=lambda name: AGGREGATIONS[name],
        key=f"{KEY}aggregation",
        bind="query-params",
        wrap=True,
        help="How the server merges what clients send. A soft merge trains gates on a few samples of the server's own. "
        "Honest only is the mean of the clients that are not malicious; no real server could know them, so it is only "
        "a reference.",
    )


def _malicious(clients: int) -> tuple[dict[str, Any], str]:
    """The number of malicious clients and what they send; and the problem with it, or ""."""
    malicious, problem = pick_malicious(clients, 0, f"{KEY}malicious", MALICIOUS_HELP)
    attack = str(
        one_of(
            st.selectbox,
            "What they do",
            list(attacks()),
            format_func=lambda name: attacks()[name].title,
            key=f"{KEY}attack",
            bind="query-params",
            disabled=not malicious,
            help="What malicious clients send instead of their trained weights.",
        )
    )
    strength = pick_strength(find_attack(attack), f"{KEY}strength", "How strong the attack is.") if malicious else None
    if malicious:
        st.caption(f"Each malicious client sends {find_attack(attack).sends}.")
    return {"malicious": malicious, "attack": attack, "strength": strength}, problem


def _own_settings(names: Sequence[str]) -> dict[str, dict[str, float]]:
    """The settings of each chosen algorithm that has any."""
    return {
        name: settings_form(model, prefix=f"{KEY}{name}-", columns=2)
        for name in names
        if (model := algorithms()[name].settings).model_fields
    }


def _spec(
    dataset: str,
    network: str,
    data: dict[str, Any],
    shards: dict[str, Any],
    values: dict[str, Any],
    runs: list[dict[str, Any]],
) -> Setup:
    if not runs:
        return Setup(None, "Choose at least one algorithm and one way of aggregation")
    try:
        samples = parse(DataSpec, {"dataset": dataset, **data}, "data")
        about = f"{network} on {dataset_title(dataset)}, {values['clients']} clients, {SHARDS[shards['kind']].lower()}"
        if values["malicious"]:
            about += f", {values['malicious']} malicious"
        chosen = {"name": about, "data": samples, "network": network, "shards": shards, "settings": values}
        spec: FederatedSpec = parse(FederatedSpec, {**chosen, "runs": runs}, "spec")
    except SoftMergeError as error:
        return Setup(None, str(error))
    return checked(spec, samples)


def _dealt(setup: Setup) -> None:
    """Draw which client will get which samples, before anything runs."""
    spec, theme = setup.spec, current_theme()
    counts: tuple[tuple[int, ...], ...] = ()
    malicious: list[bool] = []
    if isinstance(spec, FederatedSpec):
        counts = _counts(spec.federation.model_dump_json(), spec)
        malicious = [is_malicious(spec.federation, client) for client in range(len(counts))]
    figure = shards_figure(counts, malicious, theme=theme, brief=True) if counts else None
    live_plot(
        figure,
        key="dealt-plot",
        height=clients_height(len(counts) or 10, ROW),
        alt="The number of samples of each class that every client will get",
        waiting="These samples cannot be split among the clients",
    )


@st.cache_data(max_entries=64, show_spinner=False)
def _counts(federation: str, _spec: FederatedSpec) -> tuple[tuple[int, ...], ...]:
    return counts_of(_spec)
