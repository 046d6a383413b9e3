"""The ways in which a decision is made, each with its share: mostly by what is believed, now and then to learn.

Four ways, from one number ``coin``:

* *trying*, the share ``explore``: one of the actions that may be worth it, or nothing, each with the same chance. It
  may be worth it where the 95 % interval of its effect ends above its cost. So a belief that is too small is found out.
* *evenly*, the share ``evenly`` of the rest: one of the actions that are worth it by the file's belief alone, or
  nothing, each with the same chance. A belief that nobody has measured says next to nothing of which is best, and
  without cases in which nothing was done nobody finds out what any of them does.
* *doubting*: an action that is expected to be worth it, but not surely, takes part in the choice in the share
  ``min(1, (doubted / n)^2)``, n the decisions that it was learnt from. The more often it was taken and has not shown
  its worth, the less it is taken.
* else Thompson sampling among what is surely enough worth it (`truenorth.action.choice`).

A share of exploring that falls with what was seen: P. Auer, N. Cesa-Bianchi, P. Fischer (2002), "Finite-time analysis
of the multiarmed bandit problem", Machine Learning 47, 235-256; the square is ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from truenorth.action.choice import Option, chosen, propensities, rounded
from truenorth.action.funnel import NO_EFFECT, parts_of
from truenorth.action.inputs import Inputs
from truenorth.action.values import DO_NOTHING, Candidate, Offer

TRIED = "tried, to learn what it does"
"""What is said of an action that was taken without being believed to be worth it, or without that being sure."""

EVENLY = 0.5
"""The share of decisions made evenly where the file's belief decides."""

DOUBTED = 700.0
"""An action that was taken more often than this, and has not shown its worth, is tried less."""


class Way(NamedTuple):
    """How a decision may be made, and in which share of decisions: one of ``names`` by lot, or the best by draws."""

    share: float
    names: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()

    @property
    def chances(self) -> Mapping[str, float]:
        """The chance of each choice where the decision is made in this way."""
        return dict.fromkeys(self.names, 1 / len(self.names)) if self.names else propensities(self.options)

    def choose(self, place: float) -> str:
        """What is chosen, by a place in [0, 1) or by the options' draws."""
        if self.names:
            return self.names[min(int(place * len(self.names)), len(self.names) - 1)]
        return chosen(self.options)


def ways_of(inputs: Inputs, candidates: Sequence[Candidate], options: Mapping[str, Option]) -> list[Way]:
    """All ways with a share above 0; the shares sum to one. ``options``: of whatever has an effect, by name."""
    sure = tuple(options[one.action] for one in candidates if one.stage is None and one.action != DO_NOTHING)
    tried, evenly = may_be_tried(inputs, candidates), spread_evenly(inputs, candidates)
    lots = [Way(inputs.explore, tried)] if tried else []
    rest = 1.0 - (inputs.explore if tried else 0.0)
    if evenly:
        lots.append(Way(rest * inputs.evenly, evenly))
        rest *= 1 - inputs.evenly
    doubts = doubted(inputs, candidates)
    steps = sorted({0.0, 1.0, *doubts.values()})
    for least, most in pairwise(steps):
        also = (options[name] for name, share in doubts.items() if share >= most)
        lots.append(Way(rest * (most - least), options=(*sure, *also)))
    return [way for way in lots if way.share > 0]


def choice_of(ways: Sequence[Way], coin: float) -> str:
    """What is chosen, by a number ``coin`` in [0, 1) that says which way, and the place in it.

    >>> ways = [Way(0.1, ("do_nothing", "call")), Way(0.9, options=(Option("mail", 5, 1, 4),))]
    >>> choice_of(ways, 0.07), choice_of(ways, 0.2)
    ('call', 'mail')
    """
    begins = 0.0
    for way in ways[:-1]:
        if coin < begins + way.share:
            return way.choose((coin - begins) / way.share)
        begins += way.share
    return ways[-1].choose((coin - begins) / ways[-1].share)


def chances_of(ways: Sequence[Way]) -> dict[str, float]:
    """The chance of each choice over all ways; they sum to one.

    >>> chances_of([Way(0.1, ("do_nothing", "call")), Way(0.9)])
    {'do_nothing': 0.95, 'call': 0.05}
    """
    found: dict[str, float] = {}
    for way in ways:
        for name, chance in way.chances.items():
            found[name] = found.get(name, 0.0) + way.share * chance
    return rounded(found)


def may_be_tried(inputs: Inputs, candidates: Sequence[Candidate]) -> tuple[str, ...]:
    """What trying chooses from, doing nothing first; nothing at all where only that is left.

    Where a customer has a right to an action, or a person chose, nothing is tried.
    """
    if not inputs.explore:
        return ()
    names = [offer.name for offer in _stayed(inputs, candidates) if _may_be_worth_it(inputs, offer)]
    return (DO_NOTHING, *names) if names else ()


def spread_evenly(inputs: Inputs, candidates: Sequence[Candidate]) -> tuple[str, ...]:
    """What is chosen from evenly, doing nothing first: what the file's belief alone says to be worth it."""
    if not inputs.evenly:
        return ()
    worth_it = {one.action for one in candidates if one.stage is None}
    names = [
        offer.name
        for offer in _stayed(inputs, candidates)
        if offer.name in worth_it and inputs.effects.get(offer.name, NO_EFFECT).source == "prior"
    ]
    return (DO_NOTHING, *names) if names else ()


def doubted(inputs: Inputs, candidates: Sequence[Candidate]) -> dict[str, float]:
    """In which share of decisions each action takes part that is expected to be worth it, but not surely."""
    fallen = {one.action for one in candidates if one.stage == "value" and one.value_cents > 0}
    shares = {
        offer.name: min(1.0, (inputs.doubted / max(inputs.effects[offer.name].n, 1)) ** 2)
        for offer in _stayed(inputs, candidates)
        if offer.name in fallen and inputs.doubted
    }
    return {name: share for name, share in shares.items() if share > 0}


def _stayed(inputs: Inputs, candidates: Sequence[Candidate]) -> list[Offer]:
    """What came through all stages before the value; nothing where that is not the policy's to choose."""
    offers = {action.name: action for action in inputs.actions}
    stayed = [offers[one.action] for one in candidates if one.stage in {None, "value"} and one.action != DO_NOTHING]
    is_given = inputs.only is not None or any(offer.exempt is not None for offer in stayed)
    return [] if is_given else stayed


def _may_be_worth_it(inputs: Inputs, offer: Offer) -> bool:
    high = inputs.effects.get(offer.name, NO_EFFECT).high
    return parts_of(offer, high, inputs.at_stake_cents).total_cents > 0
