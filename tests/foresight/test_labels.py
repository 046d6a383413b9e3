"""Labels of logs without a journey: nothing that tells the label is left, and each case keeps one."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from truenorth.foresight.labels import LABEL, Label, labelled
from truenorth.spec.problems import TruenorthError

logs = st.lists(
    st.tuples(st.sampled_from("abcd"), st.sampled_from(["x", "y", "lost"]), st.integers(0, 9)), min_size=1, max_size=40
).map(lambda rows: pl.DataFrame(rows, schema=["case", "type", "time"], orient="row"))


def two_kinds(log, label):
    try:
        return labelled(log, label)
    except TruenorthError:
        assume(False)


@given(logs)
def test_an_event_to_foresee_and_all_after_it_are_cut_off(log):
    found = two_kinds(log, Label(event="lost"))
    assert "lost" not in found["type"]
    lost = set(log.filter(pl.col("type") == "lost")["case"])
    for (case,), part in found.group_by("case"):
        assert part[LABEL].to_list() == [case in lost] * part.height
    first = dict(log.filter(pl.col("type") == "lost").group_by("case").agg(pl.col("time").min()).iter_rows())
    assert all(time <= first.get(case, 9) for case, time in found.select("case", "time").iter_rows())


@given(logs)
def test_cases_without_the_event_are_whole_and_in_their_order(log):
    found = two_kinds(log, Label(event="lost"))
    untouched = found.filter(~pl.col(LABEL))
    assert untouched.drop(LABEL).equals(log.filter(pl.col("case").is_in(untouched["case"].unique().implode())))


@given(logs)
def test_dropped_cases_are_gone_and_the_column_of_the_label_too(log):
    log = log.with_columns((pl.col("case").is_in(["a", "b"])).alias("won"))
    found = two_kinds(log, Label(column="won", positive="true", drop=(("type", "y"),)))
    assert not set(found["case"]) & set(log.filter(pl.col("type") == "y")["case"])
    assert "won" not in found.columns
    assert found.filter(pl.col("case").is_in(["a", "b"]) != pl.col(LABEL)).is_empty()


def test_all_problems_are_told_at_once():
    log = pl.DataFrame({"case": ["a"], "type": ["x"], "time": [1], "outcome": ["won"]})
    with pytest.raises(TruenorthError) as caught:
        labelled(log, Label(column="outcom", positive="won", until_event="X", drop=(("kind", "y"),)))
    text = str(caught.value)
    assert len(caught.value.problems) == 3
    assert "did you mean 'outcome'" in text
    assert "'kind'" in text


@pytest.mark.parametrize("label", [Label(event="x"), Label(column="outcome", positive="won")])
def test_a_label_that_all_cases_have_teaches_nothing(label):
    log = pl.DataFrame({"case": ["a"], "type": ["x"], "time": [1], "outcome": ["won"]})
    with pytest.raises(TruenorthError, match="both kinds"):
        labelled(log, label)
