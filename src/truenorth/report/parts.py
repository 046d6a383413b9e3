"""Which parts a report has: those that are asked for, without those that are to be left out."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from truenorth.report.subjects import SUBJECTS
from truenorth.spec.problems import Problem, TruenorthError, nearest

PARTS = (
    *("canvas", "outcome", "promises", "journey", "points"),
    *(subject.name for subject in SUBJECTS),
    *("time", "variants", "breaks", "quality"),
)
"""All parts in the order of the page: those of every report, and the subjects of insight by their names."""


def chosen_parts(only: Sequence[str] = (), without: Collection[str] = ()) -> frozenset[str]:
    """The parts of a report; all if ``only`` is empty. `TruenorthError` for a name that is none, or if none is left.

    >>> sorted(chosen_parts(["gap", "outcome", "voice"], ["voice"]))
    ['gap', 'outcome']
    """
    problems = [
        Problem(path=option, expected=f"a part: {', '.join(PARTS)}", found=repr(name), hint=nearest(name, PARTS))
        for option, names in (("--only", only), ("--without", without))
        for name in names
        if name not in PARTS
    ]
    chosen = frozenset(only or PARTS) - frozenset(without)
    if not problems and not chosen:
        problems = [Problem(path="--without", expected="a part that is left", found="none", hint="leave fewer out")]
    if problems:
        raise TruenorthError(problems)
    return chosen
