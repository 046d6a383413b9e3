"""The section on foresight says what the backtest found, and is there only where one was given."""

from __future__ import annotations

import math
from functools import cache

import msgspec
import pytest

from foresight.tables import table
from report.replays import tiny
from truenorth.foresight.backtest import Backtest, backtest
from truenorth.foresight.backtest_file import parse_backtest
from truenorth.foresight.evaluate import Ahead, SeenOut
from truenorth.foresight.metrics import Estimate
from truenorth.foresight.train import Effort
from truenorth.report.foresight import finding, foresight_section
from truenorth.report.page import report_html
from truenorth.report.section import Inputs
from truenorth.report.subjects import SUBJECTS
from truenorth.spec.problems import TruenorthError


@cache
def found(strength: float = 1.5) -> Backtest:
    return backtest(table(700, strength=strength), effort=Effort(settings=Effort().settings[:1], n_threads=1))[0]


def same(one: object, other: object) -> bool:
    """Equal, NaN too."""
    return msgspec.json.encode(one) == msgspec.json.encode(other)


@pytest.mark.parametrize("strength", [0.0, 1.5])
def test_what_is_printed_is_read_back(strength: float) -> None:
    read = parse_backtest(msgspec.json.encode(found(strength)))
    assert same(read, found(strength))
    assert isinstance(read.lead.lead_days, float)


def test_figures_that_cannot_be_said_are_not_numbers_again() -> None:
    nothing = Estimate(math.nan, math.nan, math.nan)
    silent = msgspec.structs.replace(found(), survey=Ahead(3, 3, 1, 0, nothing), remaining=None)
    read = parse_backtest(msgspec.json.encode(silent))
    assert read.remaining is None
    assert read.survey is not None
    assert math.isnan(read.survey.days_earlier.value)
    rows = dict(foresight_section(tiny(), Inputs(backtest=read)).tables["alarms"].rows)
    assert rows["failing cases that never answered a survey"] == "3 of 3"
    assert rows["days before the survey's answer, median"] == "n/a"


@pytest.mark.parametrize("content", [b"", b"[]", b'{"outcomes": 3}', b"\xff"])
def test_another_file_is_refused_with_its_name(content: bytes) -> None:
    with pytest.raises(TruenorthError, match=r"b\.json.*truenorth backtest"):
        parse_backtest(content, "b.json")


def test_the_section_says_what_was_found() -> None:
    section = foresight_section(tiny(), Inputs(backtest=found()))
    models = {row[0]: row for row in section.tables["reliability"].rows}
    assert set(models) == {model.model for model in found().models}
    assert len(section.tables["seen"].rows) == len(found().buckets)
    assert "days before a failure is known" in section.finding
    assert [row[0] for row in section.tables["why"].rows][: len(found().baseline)] == list(found().baseline)


def test_the_section_says_how_right_risks_are_where_the_data_go_on_for_long_enough() -> None:
    def caption(seen: SeenOut | None) -> str:
        one = msgspec.structs.replace(found(), seen_out=seen)
        return foresight_section(tiny(), Inputs(backtest=one)).tables["reliability"].caption

    seen = SeenOut(35.7, 60, 0.4, 0.034, 0.047, found().reliability, ())
    assert "60 cases opened at least 36 days before the data end" in caption(seen)
    assert "is 3.4 %" in caption(seen)
    assert caption(msgspec.structs.replace(seen, n_cases=found().n_test)) == caption(None)


def test_where_nothing_goes_live_the_reason_comes_first() -> None:
    poor = found(0.0)
    assert not poor.verdict.live
    assert poor.verdict.why in finding(poor)


def test_the_report_has_the_section_where_a_backtest_is_given() -> None:
    (subject,) = (one for one in SUBJECTS if one.name == "foresight")
    assert not subject.can(Inputs())
    page = report_html(tiny(), Inputs(backtest=found()))
    assert f'id="insight-{subject.name}"' in page
    assert "foresight-reliability" in page
    assert f'id="insight-{subject.name}"' not in report_html(tiny())
