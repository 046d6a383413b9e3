"""Why a decision came out as it did, in plain words, and what would have changed it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

import msgspec

from truenorth.action.deciding import decide
from truenorth.action.exploring import TRIED
from truenorth.action.funnel import NOT_SO
from truenorth.action.inputs import Inputs, decode_inputs
from truenorth.action.permissions import money
from truenorth.action.values import DO_NOTHING, STAGES, Candidate, Context, Decision, Effect
from truenorth.spec.conditions import fields_of
from truenorth.spec.counted import counted
from truenorth.spec.situation_wording import situation_in_words
from truenorth.spec.situations import parse_situation
from truenorth.spec.wording import name_in_words

RiskIf = Callable[[Context], float | None]
"""The risk that a case would have if it stood differently."""

LEAST_RISK = 1e-6
"""Effects are not taken to grow from a smaller risk: there is nothing to be in proportion to."""
HAD_IT = re.compile(r"(?<=^the customer had it ).+ ago; ")
"""How long ago a customer had an action, in the words of `truenorth.action.funnel`."""
NOT_WORTH_IT = re.compile(r"(?<=worth it: ).+(?= expected )")
"""What an action that fell at `value` would have brought, in the same words."""
MOST_WORDED = 2_000
"""Situations whose words are kept in mind."""


def reasons(decision: Decision) -> tuple[str, ...]:
    """Three lines: what the situation is, what the choice is worth, and how surely that is known."""
    inputs = decode_inputs(decision.inputs)
    chosen = decision.candidate(decision.chosen)
    return (_situation(inputs, decision.chosen), _value(inputs, decision, chosen), _sureness(inputs, decision))


def alternatives(decision: Decision, n: int = 2) -> list[Candidate]:
    """The best of those that stayed beside the choice, by expected value; doing nothing is worth 0."""
    stayed = [one for one in decision.candidates if one.stage is None and one.action != decision.chosen]
    return sorted(stayed, key=lambda one: -one.value_cents)[:n]


def _situation(inputs: Inputs, chosen: str) -> str:
    context = inputs.context
    risk = "the risk is not known" if context.risk is None else f"the risk that it fails is {_percent(context.risk)}"
    broken = [name_in_words(name) for name, verdicts in sorted(context.promises.items()) if "broken" in verdicts]
    words = f"; broken: {', '.join(broken)}" if broken else ""
    when = inputs.situations.get(chosen)
    return f"{risk}{words}{f'; proposed where {_in_words(when)}' if when else ''}"


def why_fallen(words: str) -> str:
    """Why a candidate fell, as people read it: records have the journey file's own rule.

    >>> why_fallen("not a situation for it: broken >= 1")
    'only where a promise was broken'
    """
    return f"only where {_in_words(words.removeprefix(NOT_SO))}" if words.startswith(NOT_SO) else words


def why_fallen_in_general(words: str) -> str:
    """Why a candidate fell, without what is so of one case only: reasons that are alike can be counted.

    >>> why_fallen_in_general("the customer had it 1 d 3 h ago; not again within 30 d")
    'the customer had it lately; not again within 30 d'
    >>> why_fallen_in_general("not worth it: EUR 0.00 expected after its cost")
    'not worth it: nothing or less expected after its cost'
    """
    return NOT_WORTH_IT.sub("nothing or less", HAD_IT.sub("lately; ", why_fallen(words)))


@lru_cache(MOST_WORDED)
def _in_words(situation: str) -> str:
    return situation_in_words(parse_situation(situation))


def _value(inputs: Inputs, decision: Decision, chosen: Candidate) -> str:
    if decision.chosen == DO_NOTHING:
        return _why_nothing(inputs, decision)
    parts, say = chosen.parts, inputs.currency
    why = f"{TRIED}; " if chosen.words == TRIED else ""
    points = f"{100 * chosen.dp:.1f} points likelier x {money(inputs.at_stake_cents, say)} at stake"
    revenue = f" + {money(parts.revenue_cents, say)} revenue" if parts.revenue_cents else ""
    return (
        f"{why}{money(parts.total_cents, say)} expected: {money(parts.outcome_cents, say)} from the outcome ({points})"
        f"{revenue} - {money(parts.cost_cents, say)} cost"
    )


def _why_nothing(inputs: Inputs, decision: Decision) -> str:
    if decision.holdout:
        return "nothing is done: the case is held out, so that what actions bring can be measured"
    if any(one.stage is None and one.action != DO_NOTHING for one in decision.candidates):
        return "nothing is done this time, by lot: else nobody could tell what acting brings"
    fallen = [one for one in decision.candidates if one.stage is not None]
    if not fallen:
        return "nothing is done: the journey has no actions"
    last = max(fallen, key=lambda one: (_depth(one), one.value_cents))
    return f"nothing is done: no action stayed; of {inputs_name(inputs, last.action)}: {why_fallen(last.words)}"


def _depth(fallen: Candidate) -> int:
    """How far through the funnel a candidate came."""
    return STAGES.index(fallen.stage) if fallen.stage is not None else len(STAGES)


def _sureness(inputs: Inputs, decision: Decision) -> str:
    effect = inputs.effects.get(decision.chosen)
    if effect is None or decision.chosen == DO_NOTHING:
        return _share(decision)
    origin = (
        f"learnt from {counted(effect.n, 'decision')}" if effect.source == "data" else "believed by the journey file"
    )
    points = f"{100 * effect.low:.1f} to {100 * effect.high:.1f} points likelier (95 %)"
    return f"{origin}: {points}; {_share(decision)}"


def _share(decision: Decision) -> str:
    return f"chosen in {_percent(decision.propensity)} of such decisions"


def _percent(share: float) -> str:
    """A share in [0, 1]; never 0 or 100 unless it is that."""
    if 0 < share < 0.005:
        return "less than 1 %"
    return "more than 99 %" if 0.995 < share < 1 else f"{100 * share:.0f} %"


def inputs_name(inputs: Inputs, action: str) -> str:
    """What an action is called."""
    return next((one.words for one in inputs.actions if one.name == action), name_in_words(action))


def counterfactuals(decision: Decision, risk_if: RiskIf | None = None) -> Iterator[str]:
    """What would have come out otherwise if one thing about the case had been different.

    ``risk_if`` is asked for the risk of the case as it would then stand; without it the risk stays. Effects are taken
    to grow with the risk.
    """
    inputs = decode_inputs(decision.inputs)
    for words, context in _otherwise(inputs):
        risk = risk_if(context) if risk_if is not None else context.risk
        other = decide(_under(inputs, msgspec.structs.replace(context, risk=risk)))
        if other.chosen != decision.chosen:
            seen = f" the risk would have been {risk:.2f} and" if risk_if is not None and risk is not None else ""
            yield f"{words}{seen} {_would(inputs, other.chosen)}"
    edge = _risk_edge(inputs, decision.chosen)
    if edge is not None:
        risk, other_choice = edge
        yield f"with a risk of {_percent(risk)} {_would(inputs, other_choice)}"


def _would(inputs: Inputs, choice: str) -> str:
    if choice == DO_NOTHING:
        return "nothing would have been proposed"
    return f"'{inputs_name(inputs, choice)}' would have been proposed"


def _otherwise(inputs: Inputs) -> Iterator[tuple[str, Context]]:
    """The case with one broken promise kept, or with one hand-over less."""
    context = inputs.context
    for name, verdicts in sorted(context.promises.items()):
        if "broken" in verdicts:
            kept = {**context.promises, name: ("kept",)}
            yield f"with '{name}' kept", msgspec.structs.replace(context, promises=kept)
    n = int(context.measures.get("handovers", 0))
    if n > 0:
        fewer = {**context.measures, "handovers": float(n - 1)}
        which = {1: "no", 2: "no second", 3: "no third"}.get(n, f"{n - 1} instead of {n}")
        yield f"with {which} transfer{'s' * (n > 3)}", msgspec.structs.replace(context, measures=fewer)


def _risk_edge(inputs: Inputs, chosen: str) -> tuple[float, str] | None:
    """The nearest risk, in hundredths, at which the choice is another one."""
    risk = inputs.context.risk
    if risk is None or not _risk_matters(inputs):
        return None
    for step in sorted(range(101), key=lambda percent: abs(percent / 100 - risk)):
        other = decide(_under(inputs, msgspec.structs.replace(inputs.context, risk=step / 100)))
        if other.chosen != chosen:
            return step / 100, other.chosen
    return None


def _risk_matters(inputs: Inputs) -> bool:
    return bool(inputs.effects) or any(
        "risk" in fields_of(parse_situation(one).tree) for one in inputs.situations.values()
    )


def _under(inputs: Inputs, context: Context) -> Inputs:
    """The inputs for a case that stands differently; effects and draws in proportion to the risk."""
    old, new = inputs.context.risk, context.risk
    share = new / old if old is not None and old >= LEAST_RISK and new is not None else 1.0
    effects = {name: _scaled(effect, share) for name, effect in inputs.effects.items()}
    draws = {name: draw * share for name, draw in inputs.draws.items()}
    return msgspec.structs.replace(inputs, context=context, effects=effects, draws=draws)


def _scaled(effect: Effect, share: float) -> Effect:
    changes = {name: getattr(effect, name) * share for name in ("mean", "low", "high", "sd")}
    return msgspec.structs.replace(effect, **changes)
