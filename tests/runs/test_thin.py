"""A recorded run in fewer moments: what is told once stays, and of what is told often the first and the last."""

from softmerge_core.runs.thin import MOMENTS, thinned


def test_moments_are_spread_over_each_stage() -> None:
    gates = [{"kind": "gates", "step": step} for step in range(100)]
    few = [{"kind": "gates", "step": step} for step in range(100, 103)]
    losses = [{"kind": "loss", "step": step} for step in range(50)]
    events = [{"kind": "stage", "step": 0}, *gates, *losses, {"kind": "stage", "step": 100}, *few]
    kept = [event["step"] for event in thinned(events) if event["kind"] == "gates"]
    assert len(kept) == MOMENTS + 3
    assert (kept[0], kept[MOMENTS - 1], kept[-1]) == (0, 99, 102)
    assert [event for event in thinned(events) if event["kind"] != "gates"] == [
        event for event in events if event["kind"] != "gates"
    ]
