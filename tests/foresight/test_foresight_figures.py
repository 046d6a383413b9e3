"""Figures of foresight: what is drawn are the findings."""

from __future__ import annotations

from functools import cache

import msgspec
import pytest

from foresight.tables import table
from truenorth.figures.foresight import discrimination_figure, reliability_figure
from truenorth.foresight.backtest import backtest
from truenorth.foresight.evaluate import Reliable
from truenorth.foresight.train import Effort


@cache
def found(n_cases):
    return backtest(table(n_cases), effort=Effort(n_threads=1))[0]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_is_drawn_are_the_findings(theme):
    every = msgspec.structs.replace(found(700), seen_out=None)
    for of, reliability in ((every, every.reliability), (found(700), found(700).seen_out.reliability)):
        drawn = reliability_figure(of, theme).data[1]
        assert tuple(drawn.x) == reliability.said
        assert tuple(drawn.y) == reliability.came
    drawn = discrimination_figure(found(700), theme).data[1]
    assert list(drawn.y) == [bucket.auc.value for bucket in found(700).buckets]


@pytest.mark.parametrize("figure", [reliability_figure, discrimination_figure])
def test_nothing_to_draw_is_said_in_words(figure):
    nothing = msgspec.structs.replace(found(700), buckets=(), reliability=Reliable((), (), ()), seen_out=None)
    assert figure(nothing).layout.meta["empty"]
    assert figure(found(700)).layout.meta["alt"]
