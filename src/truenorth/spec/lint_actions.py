"""What `check` warns about in actions: what nobody may do, what can never be worth it, what could not be measured."""

from __future__ import annotations

from collections.abc import Iterator

from truenorth.spec.load import Draft
from truenorth.spec.problems import Problem
from truenorth.spec.proofs import never_true


def action_problems(draft: Draft) -> Iterator[Problem]:
    """Warnings about the actions of a journey.

    >>> from truenorth.spec.load import read_draft
    >>> draft = read_draft("truenorth: 1\\njourney: a\\nactions: [{name: call, needs: phone}]")
    >>> [problem.path for problem in action_problems(draft)]
    ['$.outcome.value', '$.holdout', '$.actions[0].needs', '$.actions[0].prior']
    """
    journey = draft.journey
    if journey is None or not journey.actions:
        return
    if "achieved" not in journey.outcome.value:
        yield _warning("$.outcome.value", "what the outcome is worth", "nothing: no action can be worth its cost")
    if not journey.holdout:
        hint = "write holdout: 10%"
        yield _warning("$.holdout", "a share of cases that is never acted upon", "none, so nothing can be proved", hint)
    for path, action in zip(draft.action_paths, journey.actions, strict=True):
        missing = [need.permission for need in action.needs if need.permission not in journey.authority.permissions]
        if missing:
            found = f"'{missing[0]}', which nobody has"
            yield _warning(f"{path}.needs", "a permission that somebody has", found, "grant it under 'authority'")
        if not action.prior.recovers and action.exempt is None:
            hint = "write prior: {recovers: 0.1}, the share of failing cases that it turns"
            yield _warning(
                f"{path}.prior", "a belief that it turns some cases", "none: it is only tried now and then", hint
            )
        if action.when is not None and never_true(action.when.tree):
            yield _warning(f"{path}.when", "a situation that some case can be in", f"'{action.when.text}'")


def _warning(path: str, expected: str, found: str, hint: str = "") -> Problem:
    return Problem(path=path, expected=expected, found=found, hint=hint, severity="warning")
