"""Few events are looked up among texts that were met before; what is found is what all events asked at once give."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truenorth.engine import codes, marks

TEXTS = st.lists(st.sampled_from([None, "", "a", "b", "ab", "c", "#2"]), max_size=12)
CONDITIONS = (
    (pl.col("type") == "a").fill_null(False),
    pl.col("type").is_null(),
    pl.col("type").str.starts_with("a").fill_null(False),
    (pl.col("team") == pl.col("type")).fill_null(False),
    (pl.col("team") == "c").fill_null(False),
    pl.lit(True),
)


def frame_of(types: list[str | None]) -> pl.DataFrame:
    return pl.DataFrame({"type": types, "team": types[::-1]}, {"type": pl.String, "team": pl.String})


@settings(deadline=None)
@given(batches=st.lists(TEXTS, max_size=5))
def test_batch_by_batch_each_event_answers_as_it_does_alone(batches: list[list[str | None]]) -> None:
    with pytest.MonkeyPatch.context() as changed:
        changed.setattr(marks, "MAX_LOOKED_UP", 3)  # texts are forgotten and asked about again
        classes = marks.Classes(CONDITIONS)
        for types in batches:
            found = classes.classify(frame_of(types))
            answers = [one.tolist() for one in classes.answers()[found]]
            asked = frame_of(types).select(one.alias(str(bit)) for bit, one in enumerate(CONDITIONS))
            assert answers == [list(row) for row in asked.rows()]


def test_conditions_are_asked_once_about_a_text(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str | None]] = []
    answer = marks._answer

    def noted(frame: pl.DataFrame, conditions: dict[int, pl.Expr], words: marks.U64) -> None:
        asked.extend([frame[name].to_list()] for name in frame.columns if conditions)
        answer(frame, conditions, words)

    monkeypatch.setattr(marks, "_answer", noted)
    classes = marks.Classes(CONDITIONS[:3])
    for types in (["a", "b", "a"], ["b", "c"], ["a", "c"]):
        classes.classify(frame_of(types))
    assert asked == [[["a", "b"]], [["c"]]]


@settings(deadline=None)
@given(texts=TEXTS)
def test_few_texts_have_the_numbers_that_hashes_give(texts: list[str | None]) -> None:
    column = pl.Series("key", texts, pl.String)
    few = codes.encode(column)
    with pytest.MonkeyPatch.context() as changed:
        changed.setattr(codes, "FEW_ROWS", -1)
        many = codes.encode(column)
    assert few.codes.tolist() == many.codes.tolist()
    assert few.values.equals(many.values, check_dtypes=True, check_names=True)
