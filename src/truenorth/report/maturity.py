"""The section on maturity: whether the customer comes first."""

from __future__ import annotations

from truenorth.insight.maturity import Maturity, maturity
from truenorth.insight.replayed import Replayed
from truenorth.report.section import Inputs, Section
from truenorth.report.tables import Table

ANSWERS = {True: "yes", False: "no", None: "not known"}


def maturity_section(replay: Replayed, inputs: Inputs) -> Section:
    """Ten questions, as of the day that is asked for, else the last one of the log."""
    day = inputs.as_of or (replay.watermark.date() if replay.watermark else None)
    if day is None:
        return Section(finding="The log is empty: nothing can be answered.", answer=Maturity(()))
    found = maturity(replay, day, inputs.told)
    return Section(
        finding=_finding(found),
        answer=found,
        tables={"maturity": _table(found)},
        how=(
            "Ten questions of our own. Data answer where they can; what people say (--answer) fills in the rest. "
            "There is no score but the number of answers that are yes.",
        ),
    )


def _finding(found: Maturity) -> str:
    missing = [one for one in found.answers if not one.answer]
    told = f"{found.n_yes} of {len(found.answers)} answers {'is' if found.n_yes == 1 else 'are'} yes."
    return f"{told} Next: {missing[0].next_step}" if missing else told


def _table(found: Maturity) -> Table:
    rows = tuple((one.question, ANSWERS[one.answer], one.source, one.evidence, one.next_step) for one in found.answers)
    return Table(
        caption="Does the customer come first?",
        headings=("question", "answer", "from", "evidence", "next step"),
        numeric=(False,) * 5,
        rows=rows,
    )
