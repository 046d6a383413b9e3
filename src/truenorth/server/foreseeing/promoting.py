"""The life of models: who may go live, and back. Models are learnt elsewhere (`teaching`)."""

from __future__ import annotations

from truenorth.spec.problems import Problem, TruenorthError
from truenorth.store.foresight_rows import ModelRow
from truenorth.store.opening import Store


class NotBetter(TruenorthError):
    """A model that did not beat the baselines on held-out time does not go live, unless somebody insists."""


def found(store: Store, journey: str, version: str) -> ModelRow:
    """A model; `TruenorthError` where there is none of this version."""
    row = store.models.find(journey, version)
    if row is None:
        known = ", ".join(one.version for one in store.models.list(journey)) or "none"
        hint = "'truenorth models list' shows them; 'truenorth train --db' makes one"
        expected = f"a model of {journey}: {known}"
        raise TruenorthError([Problem(path="version", expected=expected, found=version, hint=hint)])
    return row


def promote(store: Store, journey: str, version: str, *, insisted: bool, now_us: int) -> ModelRow:
    """Make a model live; the row as it is then. NotBetter where it did not beat the baselines and nobody insists."""
    row = found(store, journey, version)
    if not row.beats and not insisted:
        hint = "learn from more cases, or insist: it is noted in the audit"
        expected = "a model that is better than the base rate and the baseline on held-out time"
        raise NotBetter([Problem(path=version, expected=expected, found=row.why, hint=hint)])
    store.models.promote(journey, version, now_us=now_us)
    return found(store, journey, version)


def roll_back(store: Store, journey: str, *, now_us: int) -> ModelRow:
    """Make the model live that was so before; `TruenorthError` where there is none."""
    before = store.models.before(journey)
    if before is None:
        hint = "promote another one: 'truenorth models list' shows them"
        problem = Problem(path=journey, expected="a model that was live before", found="none", hint=hint)
        raise TruenorthError([problem])
    store.models.promote(journey, before.version, now_us=now_us)
    return found(store, journey, before.version)
