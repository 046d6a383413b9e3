"""Inputs of decisions, any that can be."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import strategies as st

from truenorth.action.accounts import accounts_to_read
from truenorth.action.inputs import EVERYTHING, Contacts, Inputs
from truenorth.action.values import Context, Effect, Versions
from truenorth.spec.acting import Frequency, Grant, Limit, Need, Offer

HOUR_US = 3_600_000_000
NOW_US = 1_767_605_400_000_000
NAMES = ("call_back", "credit", "letter")
PERMISSIONS = ("call", "goodwill")
SITUATIONS = ("risk >= 0.4", "promise_broken('looked_at')", "handovers > 1 and not promise_active('told')", "risk < 2")

chances = st.floats(0, 1)
cents = st.integers(0, 20_000)
effects = st.builds(
    lambda mean, sd, n: Effect(
        mean=mean,
        low=mean - 2 * sd,
        high=mean + 2 * sd,
        sd=sd,
        n=n,
        source="data" if n else "prior",
        caution=2.0 * (n > 0),
    ),
    st.floats(-0.2, 0.5),
    st.floats(0, 0.2),
    st.sampled_from([0, 0, 100, 900, 5_000]),
)
limits = st.builds(
    Limit,
    st.integers(0, 30_000),
    st.sampled_from(["money", "times"]),
    st.sampled_from(["action", "case", "customer", "day"]),
)
grants = st.builds(Grant, st.sampled_from(PERMISSIONS), st.lists(limits, max_size=2).map(tuple))
needs = st.builds(Need, st.sampled_from(PERMISSIONS), st.none() | st.integers(1, 8_000))
contexts = st.builds(
    Context,
    journey=st.just("help"),
    case=st.sampled_from(["T1", "T2"]),
    customer=st.none() | st.just("ann"),
    at_us=st.integers(NOW_US, NOW_US + 100 * HOUR_US),
    risk=st.none() | chances,
    base_risk=st.none() | chances,
    measures=st.fixed_dictionaries({"handovers": st.integers(0, 4).map(float)}),
    marks=st.sampled_from([{"outcome": "open"}] * 4 + [{"outcome": "failed"}]),
    promises=st.dictionaries(
        st.sampled_from(["looked_at", "told"]), st.sampled_from([("kept",), ("broken",), ("open",), ("broken", "open")])
    ),
)


@st.composite
def actions(draw: st.DrawFn, name: str) -> Offer:
    return Offer(
        name=name,
        cost_cents=draw(cents),
        revenue_cents=draw(st.sampled_from([0, 0, 500])),
        needs=draw(st.lists(needs, max_size=2).map(tuple)),
        cooldown_us=draw(st.none() | st.integers(1, 72).map(lambda hours: hours * HOUR_US)),
        capacity=draw(st.none() | st.integers(0, 5)),
        channel=draw(st.sampled_from([None, "phone", "mail"])),
        exempt=draw(st.sampled_from([None, None, None, "legal"])),
    )


@st.composite
def any_inputs(draw: st.DrawFn) -> Inputs:
    offered = tuple(draw(actions(name)) for name in draw(st.sets(st.sampled_from(NAMES))) if name)
    context = draw(contexts)
    held = draw(st.lists(grants, max_size=3).map(tuple))
    frequencies = draw(
        st.lists(
            st.builds(Frequency, st.integers(1, 3), st.just(24 * HOUR_US), st.sampled_from([None, "phone"])), max_size=2
        )
    )
    accounts = [account.name for account in accounts_to_read(offered, held)]
    names = [action.name for action in offered]
    return Inputs(
        id="d1",
        context=context,
        asker="anna",
        currency="EUR",
        actions=offered,
        situations={name: draw(st.sampled_from(SITUATIONS)) for name in names if draw(st.booleans())},
        effects={name: draw(effects) for name in names},
        draws={name: draw(st.floats(-0.5, 1)) for name in names},
        at_stake_cents=draw(st.integers(-10_000, 50_000)),
        frequencies=tuple(frequencies),
        contacts=Contacts(
            counts=tuple(draw(st.integers(0, 3)) for _ in frequencies),
            last_us={
                name: context.at_us - draw(st.integers(0, 100)) * HOUR_US for name in names if draw(st.booleans())
            },
            is_open=draw(st.booleans()),
            is_over=draw(st.booleans()),
            consent=draw(st.none() | st.booleans()),
        ),
        grants=held,
        used={name: draw(st.integers(0, 20_000)) for name in accounts if draw(st.booleans())},
        budget_cents=draw(st.none() | st.integers(0, 50_000)),
        stopped=tuple(draw(st.sampled_from([(), (), (), ("letter",), (EVERYTHING,)]))),
        under_way=tuple(draw(st.sampled_from([(), (), ("letter",)]))),
        is_held_out=draw(st.sampled_from([False, False, False, True])),
        only=draw(st.sampled_from([None, None, None, *names])),
        explore=draw(st.sampled_from([0.0, 0.02, 0.5])),
        evenly=draw(st.sampled_from([0.0, 0.5])),
        doubted=draw(st.sampled_from([0.0, 700.0])),
        coin=draw(st.floats(0, 1, exclude_max=True)),
        versions=Versions("risk/3", "thompson/4", 4),
    )


def plain_inputs(*offered: Offer, **changes: Any) -> Inputs:
    """Nothing in the way: a risky case, everything allowed, each action turning a quarter of failing cases."""
    context = Context(journey="help", case="T1", customer="ann", at_us=NOW_US, risk=0.6, marks={"outcome": "open"})
    permissions = {need.permission for action in offered for need in action.needs}
    given = Inputs(
        id="d1",
        context=context,
        asker="anna",
        currency="EUR",
        actions=offered,
        effects={action.name: Effect(mean=0.15, low=0.05, high=0.25, sd=0.05) for action in offered},
        draws={action.name: 0.15 for action in offered},
        at_stake_cents=33_000,
        grants=tuple(Grant(name) for name in sorted(permissions)),
        versions=Versions("risk/3", "thompson/4", 4),
    )
    return msgspec.structs.replace(given, **changes)
