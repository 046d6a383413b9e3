"""What to do for a case: one action, two alternatives, why and why not, and what may still be spent."""

from __future__ import annotations

from truenorth.action.values import DO_NOTHING
from truenorth.console.sight import Sight
from truenorth.console.words import Words, muted, paragraph, tag
from truenorth.server.api.decisions import CandidateShown, DecisionOffered, LeftShown
from truenorth.spec.wording import name_in_words


def show_proposal(sight: Sight, whole: DecisionOffered, left: list[LeftShown]) -> None:
    """Draw it into the element that is open."""
    decision, currency = whole.decision, whole.currency
    chosen = next(one for one in whole.candidates if one.action == decision.chosen)
    with Words("p", "", "tn-chosen"):
        Words("strong", _title(whole, decision.chosen))
        if decision.state != "nothing":
            state = "approval asked" if decision.state == "escalated" else decision.state
            tag(state, {"accepted": "good", "proposed": "warn"}.get(decision.state, "plain"))  # type: ignore[arg-type]
    if decision.chosen != DO_NOTHING:
        worth = _worth(sight, chosen, currency)
        until = f"; holds until {sight.writing.instant(decision.expires)}" if decision.expires else ""
        muted(f"{worth}{until}")
    Words("h3", "Why")
    with Words("ul", "", "tn-why"):
        for reason in whole.reasons[:3]:
            Words("li", reason)
    others = _others(whole)
    if others:
        Words("h3", "Instead")
        with Words("ol", "", "tn-instead"):
            for one in others:
                Words("li", f"{_title(whole, one.action)}: {_instead(sight, one, currency)}")
    _spend(sight, left, currency)


def _others(whole: DecisionOffered) -> list[CandidateShown]:
    """Two alternatives: those that stayed, else the best of those that fell, with the stage where they did."""
    fallen = [one for one in whole.candidates if one.stage is not None]
    fallen.sort(key=lambda one: -one.value_cents)
    return [*whole.alternatives, *fallen][:2]


def _instead(sight: Sight, one: CandidateShown, currency: str | None) -> str:
    if one.stage is not None:
        return f"not possible, {one.stage}: {one.words}"
    return "worth nothing, costs nothing" if one.action == DO_NOTHING else _worth(sight, one, currency)


def _worth(sight: Sight, one: CandidateShown, currency: str | None) -> str:
    money = sight.writing.money
    points = sight.writing.number(100 * one.dp, 1)
    low, high = (sight.writing.number(100 * value, 1) for value in (one.dp_low, one.dp_high))
    return (
        f"worth {money(one.value_cents / 100, currency, 2)}: {points} points likelier ({low} to {high}), "
        f"costs {money(one.cost_cents / 100, currency, 2)}"
    )


def _spend(sight: Sight, left: list[LeftShown], currency: str | None) -> None:
    if not left:
        paragraph("You have no limit of your own to spend from.", "tn-muted")
        return
    said = []
    for one in left:
        amounts = [
            sight.writing.money(value / 100, currency, 2) if one.unit == "money" else sight.writing.number(value)
            for value in (one.left, one.amount)
        ]
        said.append(f"{one.permission} {amounts[0]} of {amounts[1]} a {one.per}")
    paragraph(f"You may still spend: {'; '.join(said)}.", "tn-muted")


def _title(whole: DecisionOffered, action: str) -> str:
    return "Do nothing" if action == DO_NOTHING else whole.titles.get(action, name_in_words(action))
