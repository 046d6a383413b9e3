"""What a service cannot do without the libraries that learn, said in a sentence before it starts."""

from __future__ import annotations

from importlib.util import find_spec

from truenorth.spec.problems import Problem, TruenorthError
from truenorth.store.opening import Store

INSTALL = "pip install 'truenorth[learn]'"


def can_learn() -> bool:
    """Whether the extra ``learn`` is installed."""
    return find_spec("lightgbm") is not None


def check_can_foresee() -> None:
    """`TruenorthError` where a process that keeps risks up to date cannot run."""
    if not can_learn():
        raise TruenorthError([_missing("foreseer", "the extra 'learn', which risks are computed with")])


def check_can_serve(store: Store, *, foresight: bool) -> None:
    """`TruenorthError` where what a store has learnt cannot be asked: effects of actions, and models of foresight.

    ``foresight``: whether risks are to be kept up to date.
    """
    if can_learn():
        return
    problems = [
        _missing(f"journey {text.name}", "the extra 'learn': decisions ask what was learnt of its actions")
        for text in store.journeys.live()
        if store.effects.newest_number(text.name) is not None
    ]
    if foresight:
        problems += [
            _missing(
                f"journey {name}",
                "the extra 'learn': it has models of foresight",
                f"{INSTALL}; or start with --no-foresight, and risks stay as they are",
            )
            for name in sorted({row.journey for row in store.models.asked()})
        ]
    if problems:
        raise TruenorthError(problems)


def _missing(path: str, expected: str, hint: str = INSTALL) -> Problem:
    return Problem(path=path, expected=expected, found="not installed", hint=hint)
