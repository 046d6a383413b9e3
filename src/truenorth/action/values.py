"""What acting is about, as frozen values: the situation, what each action does there, candidates, decisions.

Money is in cents. Chances and differences of chances are in [0, 1] and [-1, 1]. ``dp`` is how much likelier an action
makes the customer's outcome in this situation than doing nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from truenorth.spec.acting import Action, Need, Offer, Prior

__all__ = [
    "DO_NOTHING",
    "STAGES",
    "Action",
    "Candidate",
    "Context",
    "Decision",
    "Effect",
    "EffectModel",
    "Logged",
    "Need",
    "Offer",
    "Parts",
    "Prior",
    "Stage",
    "Versions",
]

DO_NOTHING = "do_nothing"
"""The name of the action that is always a candidate and always allowed."""

Stage = Literal["eligibility", "contact", "authority", "budget", "capacity", "value"]
STAGES: tuple[Stage, ...] = ("eligibility", "contact", "authority", "budget", "capacity", "value")
"""The stages of the funnel in their order."""


Verdict = Literal["kept", "broken", "lapsed", "open"]


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """A case as it stands when something is to be decided.

    ``risk`` is the chance that it fails, None where no model says so; ``base_risk`` the share of decided cases of the
    journey that failed, None where there are none. ``measures`` are the case's numbers by name
    (`truenorth.spec.situations.CASE_FIELDS`); ``promises`` the verdicts that the instances of each promise have had;
    ``marks`` texts that conditions and models may tell cases apart by, such as the outcome so far.
    """

    journey: str
    case: str
    customer: str | None
    at_us: int
    risk: float | None = None
    base_risk: float | None = None
    measures: Mapping[str, float] = {}
    marks: Mapping[str, str] = {}
    promises: Mapping[str, tuple[Verdict, ...]] = {}


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """What an action does to the chance of the outcome in a situation, and how surely that is known.

    ``low`` and ``high`` bound 95 %; ``sd`` is the standard deviation of what is believed; ``n`` how many decisions it
    was learnt from. ``source``: whether it is the file's belief or comes from data. ``caution``: with so many standard
    deviations less, the action must still be worth its cost.
    """

    mean: float
    low: float
    high: float
    sd: float
    n: int = 0
    source: Literal["prior", "data"] = "prior"
    caution: float = 0.0


class EffectModel(Protocol):
    """Knows what actions do. Pure: the same questions get the same answers."""

    version: str

    def effects(self, context: Context, actions: Sequence[Offer]) -> Mapping[str, Effect]:
        """The effect of each action in a situation, by name; doing nothing has none."""
        ...

    def draw(self, context: Context, actions: Sequence[Offer], uniforms: NDArray[np.float64]) -> Mapping[str, float]:
        """One plausible ``dp`` for each action, by name: ``uniforms`` (n_actions,) in (0, 1) decide which."""
        ...


class Parts(msgspec.Struct, frozen=True):
    """An expected value taken apart; outcome + revenue - cost, all in cents."""

    outcome_cents: int = 0
    revenue_cents: int = 0
    cost_cents: int = 0

    @property
    def total_cents(self) -> int:
        """What is left.

        >>> Parts(2500, 0, 1200).total_cents
        1300
        """
        return self.outcome_cents + self.revenue_cents - self.cost_cents


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """An action that was considered: where it fell and why, or what it is expected to bring.

    ``stage`` is None for one that stayed, and for the chosen one. ``propensity`` is the chance with which the policy
    chooses it in this very situation; those of all candidates sum to one. It is 0 for one that fell, unless it fell at
    the value and is tried now and then.
    """

    action: str
    stage: Stage | None = None
    words: str = ""
    dp: float = 0.0
    dp_low: float = 0.0
    dp_high: float = 0.0
    value_cents: int = 0
    parts: Parts = Parts()
    propensity: float = 0.0


class Versions(msgspec.Struct, frozen=True):
    """What a decision was made with: the risk model, the policy with its effect model, the version of the journey."""

    model: str | None
    policy: str
    journey: int


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What was chosen for a case at an instant, from what, and with which chance.

    ``inputs`` are canonical bytes of everything that it was made from (`truenorth.action.record`). ``holdout``: the
    case is kept from action, for comparison. ``expires_us``: until when it holds what it reserved; None for doing
    nothing.
    """

    id: str
    journey: str
    case: str
    customer: str | None
    at_us: int
    asker: str
    candidates: tuple[Candidate, ...]
    chosen: str
    propensity: float
    versions: Versions
    holdout: bool
    expires_us: int | None
    inputs: bytes

    def candidate(self, action: str) -> Candidate:
        """The candidate of an action; `StopIteration` where it is none."""
        return next(one for one in self.candidates if one.action == action)


class Logged(NamedTuple):
    """Decisions as columns, one row each, for learning and evaluation.

    ``names``: of the k columns of ``context`` (n, k); ``actions``: the names of the codes, *do nothing* first.
    ``action`` (n,) codes, ``propensity`` (n,) of what was chosen, ``eligible`` (n, n_actions) what could have been.
    ``chances`` (n, n_actions) with which each could have been, each row sums to one; where only the propensity of what
    was chosen is known, equal ones stand in.
    ``achieved`` (n,) 1, 0 or NaN while open; ``value_cents`` (n,) of the outcome with revenue, NaN while open;
    ``cost_cents`` (n,) of the action. ``time_us`` (n,), ``holdout`` (n,) booleans, ``unit`` (n,) codes of customers.
    """

    names: tuple[str, ...]
    actions: tuple[str, ...]
    context: NDArray[np.float64]
    action: NDArray[np.int64]
    propensity: NDArray[np.float64]
    eligible: NDArray[np.bool_]
    chances: NDArray[np.float64]
    achieved: NDArray[np.float64]
    value_cents: NDArray[np.float64]
    cost_cents: NDArray[np.float64]
    time_us: NDArray[np.int64]
    holdout: NDArray[np.bool_]
    unit: NDArray[np.int64]
