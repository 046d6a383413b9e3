"""Everything that a decision is made from, as one value: whoever has it makes the same decision again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from truenorth.action.values import Context, Effect, Versions
from truenorth.spec.acting import Action, Frequency, Grant, Offer

EVERYTHING = "*"
"""Among what is stopped: all actions."""


class Contacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the contact policy looks at.

    ``counts``: how many contacts the customer had in the window of each of the policy's frequencies, in their order.
    ``last_us``: when the customer last got each action. ``is_open``: whether it is an hour in which customers may be
    reached; ``opens_us`` when that is next. ``is_over``: an event came after which nobody is contacted. ``consent``:
    whether the customer wants to be contacted; None where that is not asked for.
    """

    counts: tuple[int, ...] = ()
    last_us: Mapping[str, int] = {}
    is_open: bool = True
    opens_us: int | None = None
    is_over: bool = False
    consent: bool | None = None


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """All of it. The conditions of actions are in ``situations`` as text, by action.

    ``effects`` and ``draws`` (one plausible ``dp`` for each action) come from the effect model; ``at_stake_cents`` is
    what the outcome is worth against failing; ``used`` what is taken of each account (`truenorth.action.accounts`);
    ``stopped`` the actions that are switched off; ``under_way`` those that run in this case already; ``is_held_out``
    whether the case is kept for comparison. ``only``: a person chose this action; the policy did not. ``explore``: the
    share of decisions in which something is tried, ``evenly`` and ``doubted`` what else is done to learn
    (`truenorth.action.exploring`; 0 in records from before); ``coin``, uniform in [0, 1), says whether and what.
    """

    id: str
    context: Context
    asker: str
    currency: str = ""
    actions: tuple[Offer, ...] = ()
    situations: Mapping[str, str] = {}
    effects: Mapping[str, Effect] = {}
    draws: Mapping[str, float] = {}
    at_stake_cents: int = 0
    frequencies: tuple[Frequency, ...] = ()
    contacts: Contacts = Contacts()
    grants: tuple[Grant, ...] = ()
    used: Mapping[str, int] = {}
    budget_cents: int | None = None
    stopped: tuple[str, ...] = ()
    under_way: tuple[str, ...] = ()
    is_held_out: bool = False
    only: str | None = None
    explore: float = 0.0
    evenly: float = 0.0
    doubted: float = 0.0
    coin: float = 1.0
    versions: Versions


_INPUTS = msgspec.json.Decoder(Inputs)


def situations_of(actions: Sequence[Action]) -> dict[str, str]:
    """The conditions of actions as text, by action, of those that have one.

    >>> from truenorth.spec.situations import parse_situation
    >>> situations_of([Action(name="call", when=parse_situation("risk > 0.5"))])
    {'call': 'risk > 0.5'}
    """
    return {action.name: action.when.text for action in actions if action.when is not None}


def encode_inputs(inputs: Inputs) -> bytes:
    """Canonical bytes: equal inputs give equal bytes."""
    return msgspec.json.encode(inputs, order="deterministic")


def decode_inputs(raw: bytes) -> Inputs:
    """The inputs of some bytes; msgspec.ValidationError where they are none."""
    return _INPUTS.decode(raw)
