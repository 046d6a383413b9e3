"""A world: one company, one seed, and what is set in it from outside."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import NamedTuple

import polars as pl

from truenorth.simulate.asking import Asking, capacities
from truenorth.simulate.company import Company
from truenorth.simulate.customers import make_customers
from truenorth.simulate.effects import effects_of, worth
from truenorth.simulate.lived import Lived
from truenorth.simulate.policies import Oracle, Policy
from truenorth.simulate.run import Progress, live
from truenorth.simulate.tables import Setting, check_settings, compile_tables
from truenorth.simulate.truth import Truth, tell_truth
from truenorth.spec.problems import Problem, TruenorthError

MAX_SEED = 2**63 - 1


class Effect(NamedTuple):
    """Both potential outcomes of a case: 0 without, 1 with the action or the cause, all else as it was.

    ``p0``, ``p1``: the chance of *achieved*. ``outcome0``, ``outcome1``: what comes with the case's own luck.
    ``value0``, ``value1``: what that is worth (EUR), an action's cost paid; ``expected0``, ``expected1``: the same over
    all luck.
    """

    p0: float
    p1: float
    outcome0: str
    outcome1: str
    value0: float
    value1: float
    expected0: float
    expected1: float


class PolicyValue(NamedTuple):
    """What a policy brings against doing nothing, over the cases with a moment that exist in both worlds.

    ``expected_eur`` and ``nothing_eur``: expected value a case, costs paid, with the policy and without. ``gain_eur``:
    their difference. ``lived_gain_eur``: the same with the luck that the cases had. ``cost_eur``: of actions, a case.
    """

    n_cases: int
    expected_eur: float
    nothing_eur: float
    gain_eur: float
    lived_gain_eur: float
    cost_eur: float


class World:
    """A company and a seed: the same two give the same events, byte for byte.

    ``do`` sets causes (``help.called_back``) and actions (``call_back_now``) from outside: ``off`` never, ``on`` always
    (an action: at every moment to decide, whatever the capacity), ``half`` by a coin of each case. Worlds of one seed
    share all luck. ``seed`` is from 0 to 2**63 - 1. Raises `TruenorthError` for another seed or an unknown name.

    >>> world = World(Company(n_customers=50, days=5), seed=1)
    >>> world.run().events().equals(World(Company(n_customers=50, days=5), seed=1).run().events())
    True
    """

    def __init__(self, company: Company, seed: int = 0, do: Mapping[str, Setting] | None = None) -> None:
        check_settings(do or {})
        if not 0 <= seed <= MAX_SEED:
            expected = f"a whole number from 0 to {MAX_SEED}"
            raise TruenorthError([Problem(path="seed", expected=expected, found=str(seed))])
        self.company = company
        self.seed = seed
        self.do: Mapping[str, Setting] = dict(do or {})

    def run(self, on_progress: Progress | None = None, policy: Policy | None = None) -> Lived:
        """Live through all days; with a policy, it decides at every moment, as far as the day's capacity goes.

        `TruenorthError` for a policy in a world that sets actions itself.
        """
        set_actions = sorted(name for name in self.do if "." not in name)
        if policy is not None and set_actions:
            found = ", ".join(set_actions)
            hint = "leave the actions out of do, or run without a policy"
            raise TruenorthError([Problem(path="policy", expected="no actions set by do", found=found, hint=hint)])
        tables = compile_tables(self.company, self.seed, self.do, asks_policy=policy is not None)
        customers = make_customers(self.company.n_customers, self.seed)
        asking = Asking(policy, tables, capacities(self.company))
        run = live(tables, customers, self.company.days, on_progress, asking.ask if policy else None)
        refused, propensity = asking.kept(len(run.cases))
        return Lived(run, tables, refused, propensity)

    @cached_property
    def lived(self) -> Lived:
        """What is lived without a policy."""
        return self.run()

    @cached_property
    def _truth(self) -> Truth:
        return tell_truth(self.lived, self.company.days)

    def truth(self) -> Truth:
        """Every cause and action with its coefficients, and its average effect over the cases of this world."""
        return self._truth

    def effects(self, name: str) -> pl.DataFrame:
        """Both potential outcomes of every settled case that an action or a cause can touch, as in `Effect`.

        ``name`` is an action, for cases with a moment to decide, or ``journey.cause``, for cases where it is at stake.
        """
        return effects_of(self.lived, name)

    def effect(self, name: str, case: str) -> Effect:
        """Both potential outcomes of one case; `TruenorthError` where the action or cause cannot touch it."""
        found = self.effects(name).filter(pl.col("case") == case)
        if not found.height:
            expected = f"a settled case that {name} can touch"
            raise TruenorthError([Problem(path="case", expected=expected, found=case, hint="effects() lists them")])
        return Effect(**found.drop("case").row(0, named=True))

    def oracle_policy(self) -> Policy:
        """The yardstick: the best that can be done without knowing a case's luck."""
        return Oracle()

    def policy_value(self, policy: Policy) -> PolicyValue:
        """What a policy brings, from two worlds that share all luck: one with it, one that does nothing."""
        with_policy = worth(self.run(policy=policy))
        both = with_policy.join(worth(self.lived), on="case", suffix="_nothing")
        mean = both.select(pl.exclude("case").mean().fill_null(0.0)).row(0, named=True)
        return PolicyValue(
            n_cases=both.height,
            expected_eur=mean["expected"],
            nothing_eur=mean["expected_nothing"],
            gain_eur=mean["expected"] - mean["expected_nothing"],
            lived_gain_eur=mean["lived"] - mean["lived_nothing"],
            cost_eur=mean["cost"],
        )
