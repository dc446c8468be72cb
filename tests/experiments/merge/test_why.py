"""What gates did is told in plain words, and no more than they show."""

from typing import Any

from softmerge_core.experiments.merge.why import why_sentence

CLOSED = (0.0, 0.0)


def result(weight: list[tuple[float, ...]], groups: list[str], **changes: Any) -> dict[str, Any]:
    """A result whose gates are its shares."""
    sources = [f"source-{number}" for number in range(1, len(weight[0]) + 1)]
    gates = {"parts": [f"{name} {i}" for i, name in enumerate(groups)], "groups": groups, "sources": sources,
             "value": weight, "probability": weight, "weight": weight, "scale": [1.0] * len(weight)}  # fmt: skip
    return {"winner": "channel", "gates": {**gates, **changes.pop("gates", {})}, **changes}


def test_closed_sources_and_the_origin_of_layers_are_named() -> None:
    weight = [(0.0, 0.1, 0.0, 0.9), (0.0, 0.7, 0.0, 0.3), (0.0, 0.2, 0.0, 0.8), (0.0, 0.5, 0.0, 0.5)]
    assert why_sentence(result(weight, ["conv3", "conv3", "conv3", "head"])) == (
        "2 sources were closed everywhere: Source 1 and Source 3. Most channels of conv3 come mainly from Source 4. "
        "The other layers are mixtures."
    )


def test_layers_of_one_part_and_the_whole_network() -> None:
    layers = result([(0.6, 0.4), (0.9, 0.1)], ["conv", "head"], winner="layer")
    assert why_sentence(layers) == "No source was closed everywhere. Layers conv and head come mainly from Source 1."
    whole = result([(0.6, 0.4)], ["model"], winner="model", gates={"parts": ["model"]})
    assert why_sentence(whole) == "No source was closed everywhere. The whole network comes mainly from Source 1."


def test_an_even_mixture_is_called_one() -> None:
    weight = [(0.3, 0.3, 0.4), (0.3, 0.45, 0.25)]
    said = why_sentence(result(weight, ["conv", "head"]))
    assert said.endswith("a mixture: the most that one source gives to a layer is 45\u00a0% (Source 2, in head).")


def test_half_of_the_channels_is_not_most() -> None:
    assert "mainly" not in why_sentence(result([(0.9, 0.1), (0.5, 0.5)], ["conv", "conv"]))


def test_learned_factors_are_told_with_their_reach() -> None:
    said = why_sentence(result([(0.5, 0.5)] * 3, ["conv"] * 3, gates={"scale": [1.0, 0.5, 1.25]}))
    assert said.endswith("The weights of 2 of 3 channels were also rescaled, by 0.50 to 1.25.")


def test_what_was_not_learned_says_so() -> None:
    best = why_sentence({"winner": "best_source", "best_source": "shard", "gates": None})
    assert best == "No mixture did better on the validation data, so the best source (shard) was kept as it is."
    assert "plain average was kept" in why_sentence({"winner": "average"})
    assert why_sentence({}) == ""


def test_a_source_that_was_left_out_is_not_called_closed() -> None:
    said = why_sentence(result([(1.0, 0.0)], ["conv"], excluded=["source-2"]))
    assert said.startswith("No source was closed")


def test_gates_that_are_not_normalised_are_shares_too() -> None:
    said = why_sentence(result([(0.3, 0.1), CLOSED, (0.2, 0.1)], ["conv"] * 3))
    assert "Most channels of conv come mainly from Source 1." in said


def test_how_a_closed_source_was_spoiled_stands_in_brackets() -> None:
    said = why_sentence(
        {
            **result([(1.0, 0.0)], ["conv"]),
            "gates": {**result([(1.0, 0.0)], ["conv"])["gates"], "sources": ["source-1", "source-2 (sign_flip)"]},
        }
    )
    assert said.startswith("1 source was closed everywhere: Source 2 (signs flipped).")


def test_many_names_are_counted() -> None:
    weight = [tuple(float(column == 0) for column in range(8))]
    assert "7 sources were closed everywhere: Source 2, Source 3, Source 4, Source 5 and 3 more." in why_sentence(
        result(weight, ["conv"])
    )
