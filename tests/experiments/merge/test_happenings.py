"""What happened in a merge: told when it is first seen, and only then."""

from softmerge_core.events import Gates, Stage
from softmerge_core.experiments.merge.happenings import MOST, happenings

PARTS, GROUPS = ("conv 0", "conv 1", "head"), ("conv", "conv", "head")


def moment(step: int, *rows: tuple[float, float], stage: str = "channel") -> tuple[Stage, Gates]:
    begun = Stage(step=0, stage=stage, title=f"{stage} gates", parts=PARTS, groups=GROUPS, sources=("one", "two"))
    return begun, Gates(step=step, stage=stage, probability=rows, value=rows)


def told(*moments: tuple[Stage, Gates] | None) -> list[tuple[int, str]]:
    return [(each.step, each.words) for each in happenings(enumerate(moments))]


OPEN = ((1.0, 1.0), (1.0, 1.0), (1.0, 1.0))


def test_a_layer_is_closed_once_all_its_gates_are() -> None:
    half = ((1.0, 0.0), (1.0, 0.3), (1.0, 1.0))
    shut = ((1.0, 0.0), (1.0, 0.0), (1.0, 1.0))
    everywhere = ((1.0, 0.0), (1.0, 0.0), (1.0, 0.0))
    assert told(moment(0, *OPEN), moment(5, *half), moment(9, *shut), moment(12, *shut), moment(14, *everywhere)) == [
        (0, "channel gates begin"),
        (9, "two closed in conv"),
        (14, "two closed everywhere"),
    ]
    assert told(moment(0, *everywhere), moment(3, *half))[1:] == [(3, "two opened again in conv and head")]


def test_a_new_stage_is_told_and_its_first_gates_are_no_news() -> None:
    shut = ((1.0, 0.0), (1.0, 0.0), (1.0, 0.0))
    assert told(moment(0, *OPEN, stage="layer"), None, moment(8, *shut)) == [
        (0, "layer gates begin"),
        (8, "from layer gates to channel gates"),
    ]


def test_of_very_many_happenings_the_first_are_told() -> None:
    shut = ((1.0, 0.0), (1.0, 0.0), (1.0, 0.0))
    moments = [moment(step, *(OPEN if step % 2 else shut)) for step in range(3 * MOST)]
    assert len(told(*moments)) == MOST


def test_counts_of_closed_gates_tell_where_a_part_stands_for_many() -> None:
    begun = Stage(step=0, stage="channel", title="channel gates", parts=("conv",), sources=("one", "two"), sizes=(4,))
    values = ((0.5, 0.5),)

    def counted(step: int, closed: int) -> tuple[Stage, Gates]:
        return begun, Gates(
            step=step,
            stage="channel",
            probability=values,
            value=values,
            share=values,
            closed=((0, closed),),
            opened=((0, 0),),
        )

    assert told(counted(0, 3), counted(4, 4))[1:] == [(4, "two closed everywhere")]


def test_what_the_reader_changed_is_told_at_the_first_moment_after_it() -> None:
    moments = [moment(step, *OPEN) for step in (0, 5, 9)]
    found = happenings(enumerate(moments), [(5, "the penalty went up"), (7, "the rate went down"), (30, "too late")])
    assert [(each.place, each.step, each.words) for each in found] == [
        (0, 0, "channel gates begin"),
        (1, 5, "the penalty went up"),
        (2, 7, "the rate went down"),
    ]
