"""Sentences that count: one thing is one thing."""

from __future__ import annotations

from pathlib import Path

import pytest

from truenorth.report.section import Inputs
from truenorth.wiring.insight import insight

JOURNEY = """
truenorth: 1
journey: j
outcome: {achieved: type = 'b'}
moments: type = 'a'
decisions:
  - {name: check, when: type = 'a'}
promises:
  - {name: p, never: type = 'c'}
"""


@pytest.mark.parametrize(
    ("subject", "sentence"),
    [
        ("decisions", "1 rule is applied 1 time. It is forgotten as of 2024-01-02: check."),
        ("voice", "1 event has a text; fewer than"),
        ("maturity", "of 1 promise was kept"),
        ("maturity", "0 of 1 rule has an owner"),
    ],
)
def test_one_of_a_kind_is_told_in_the_singular(subject: str, sentence: str, tmp_path: Path) -> None:
    log, journey = tmp_path / "log.csv", tmp_path / "j.yaml"
    log.write_text("case,type,time,text\n1,a,2024-01-01,slow\n1,b,2024-01-02,\n")
    journey.write_text(JOURNEY)
    section = insight(subject, journey, log, inputs=Inputs()).section
    told = " ".join(
        [section.finding, *(cell for table in section.tables.values() for row in table.rows for cell in row)]
    )
    assert sentence in told
