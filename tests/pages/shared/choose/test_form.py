"""Forms follow the settings model: a new field needs no change of page."""

from typing import Any, Literal

import pytest
from streamlit.testing.v1 import AppTest

from pages.shared.choose import form as forms
from pages.shared.choose.form import limits, main_fields, more_fields, number_format, out_of_range, step_of
from softmerge_core.settings import AttackSettings, Settings, SoftMergeSettings, TrainSettings, parse, setting


class Tomorrow(Settings):
    """A settings model no page has heard of."""

    depth: int = setting(3, "Depth", "How deep.", ge=1, le=9)
    rate: float = setting(0.5, "Rate", "How fast.", gt=0, lt=1)
    mode: Literal["on", "off"] = setting("on", "Mode", "Which way.")
    quick: bool = setting(True, "Quick", "Whether to hurry.", more=True)
    span: tuple[float, float] = setting((0.0, 1.0), "Span", "From and to.", more=True)
    note: str = setting("", "Note", "Anything.", more=True, examples=["blue"])
    cap: int | None = setting(None, "Cap", "At most.", more=True)


class Small(Settings):
    """A setting that may be as small as it likes."""

    rate: float = setting(0.5, "Rate", "How fast.", ge=0)


def form(model: str) -> None:
    import importlib

    import streamlit as st

    from pages.shared.choose.form import settings_form

    module, name = model.rsplit(".", 1)
    skip = {"parts"}
    chosen = getattr(importlib.import_module(module), name)
    names = [field for field in chosen.model_fields if field not in skip]
    st.session_state["values"] = settings_form(chosen, prefix="f_", fields=names)


def opened(model: type[Settings]) -> AppTest:
    page = AppTest.from_function(form, args=(f"{model.__module__}.{model.__name__}",), default_timeout=30)
    page.run()
    assert not page.exception
    return page


@pytest.mark.parametrize("model", [Tomorrow, SoftMergeSettings, TrainSettings, AttackSettings])
def test_an_untouched_form_gives_the_defaults(model: type[Settings]) -> None:
    values = opened(model).session_state["values"]
    assert parse(model, values, "form") == model()


def test_each_field_has_a_widget_of_its_kind_with_its_words() -> None:
    page = opened(Tomorrow)
    for name, field in Tomorrow.model_fields.items():
        widget: Any = page.get_by_key(f"f_{name}")
        assert (widget.label, widget.help) == (field.title, field.description)


@pytest.mark.parametrize("value", [0, 10])
def test_a_number_outside_its_limits_is_told_and_kept_for_who_refuses_it(value: int) -> None:
    page = opened(Tomorrow)
    page.number_input(key="f_depth").set_value(value)
    page.run()
    (error,) = page.error
    assert str(error.value) == f"Depth can be at least 1 and at most 9; {value} is not possible."
    assert page.session_state["values"]["depth"] == value


def test_a_message_stands_under_the_row_so_that_the_field_beside_stays_where_it_is() -> None:
    page = opened(Tomorrow)
    page.number_input(key="f_depth").set_value(10)
    page.run()
    assert not [error for column in page.columns for error in column.error]
    assert len(page.error) == 1


def test_a_small_number_that_the_address_asks_for_is_shown_in_full_at_once() -> None:
    page = AppTest.from_function(form, args=(f"{Small.__module__}.{Small.__name__}",), default_timeout=30)
    page.query_params["f_rate"] = "0.0000003"
    page.run()
    assert page.number_input(key="f_rate").proto.format == "%.7f"


def test_an_address_that_asks_for_a_number_outside_the_limits_gives_the_usual_one() -> None:
    page = AppTest.from_function(form, args=(f"{Tomorrow.__module__}.{Tomorrow.__name__}",), default_timeout=30)
    page.query_params["f_depth"] = "10"
    page.run()
    assert page.number_input(key="f_depth").value == 3
    assert not page.error
    assert "f_depth" not in page.query_params


@pytest.mark.parametrize("number", ["inf", "-1e999", "nan", "Infinity"])
def test_an_address_that_asks_for_what_is_no_finite_number_gives_the_first_one(number: str) -> None:
    page = AppTest.from_function(form, args=(f"{Tomorrow.__module__}.{Tomorrow.__name__}",), default_timeout=30)
    page.query_params["f_depth"] = page.query_params["f_rate"] = number
    for _ in range(2):
        page.run()
        assert not page.exception
        assert (page.number_input(key="f_depth").value, page.number_input(key="f_rate").value) == (3, 0.5)
    page.number_input(key="f_depth").set_value(7).run()
    assert page.session_state["values"]["depth"] == 7


def test_what_the_reader_enters_comes_out() -> None:
    page = opened(Tomorrow)
    page.number_input(key="f_depth").set_value(7)
    page.toggle(key="f_quick").set_value(False)
    page.text_input(key="f_span").set_value("-1, 2.5")
    page.number_input(key="f_cap").set_value(4)
    page.run()
    made = parse(Tomorrow, page.session_state["values"], "form")
    assert (made.depth, made.quick, made.span, made.cap) == (7, False, (-1.0, 2.5), 4)


def test_an_empty_field_shows_an_example_of_what_it_takes() -> None:
    page = opened(Tomorrow)
    assert [page.text_input(key=f"f_{name}").placeholder for name in ("note", "span")] == ["such as blue", ""]


def test_more_is_what_the_fields_say() -> None:
    assert main_fields(Tomorrow) == ["depth", "rate", "mode"]
    assert more_fields(Tomorrow) == ["quick", "span", "note", "cap"]


def test_strict_limits_are_kept_off() -> None:
    low, high = limits(Tomorrow.model_fields["rate"])
    assert low is not None
    assert high is not None
    assert Tomorrow(rate=low).rate > 0
    assert Tomorrow(rate=high).rate < 1


@pytest.mark.parametrize(("kind", "default", "step"), [(float, 0.002, 0.001), (float, 0.1, 0.01), (int, 300, 100)])
def test_a_click_changes_a_number_by_a_round_part_of_it(kind: type, default: float, step: float) -> None:
    assert step_of(kind, default) == pytest.approx(step)


@pytest.mark.parametrize(
    ("kind", "value", "format"),
    [(int, 300, "%d"), (float, None, "%.6g"), (float, 0.0, "%.6g"), (float, 12345.6, "%.6g"), (float, 1e-5, "%.6g"),
     (float, 1e-7, "%.7f"), (float, -2.5e-8, "%.9f"), (float, 1e-30, "%.30f")],
)  # fmt: skip
def test_a_field_shows_small_numbers_in_full(kind: type, value: float | None, format: str) -> None:
    assert number_format(kind, value) == format
    if value:
        assert float(format % value) == value


def test_limits_are_told_without_powers_of_ten() -> None:
    assert out_of_range("Rate", 1e-7, *limits(Tomorrow.model_fields["rate"])) == (
        "Rate can be at least 0.000001 and at most 0.999999; 0.0000001 is not possible."
    )


@pytest.mark.parametrize("widget", ["selectbox", "pills"])
@pytest.mark.parametrize(
    ("default", "sent", "taken"), [("b", "a", "a"), ("b", "²", "b"), ("c", None, "a"), (None, "b", "b")]
)
def test_a_choice_that_is_none_of_the_options_is_the_default(
    monkeypatch: pytest.MonkeyPatch, widget: str, default: str | None, sent: str | None, taken: str
) -> None:
    def draw(label: str, options: list[str], **named: Any) -> str | None:
        first = options[named["index"]] if widget == "selectbox" else named["default"]
        assert first == (default if default in options else "a")
        return sent

    monkeypatch.setattr(forms.st, widget, draw)
    assert forms.one_of(getattr(forms.st, widget), "Letter", ["a", "b"], default=default, key="letter") == taken


def test_of_nothing_nothing_can_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms.st, "selectbox", lambda label, options, **named: None)
    nothing: list[str] = []
    assert forms.one_of(forms.st.selectbox, "Letter", nothing) is None
