"""What if people might spend more, or always did one thing: judged on decisions that were made, refused on too few."""

from __future__ import annotations

import msgspec

from truenorth.action.permissions import limit_words
from truenorth.action.values import DO_NOTHING
from truenorth.console.choosing import chosen_journey, journeys, nothing_live
from truenorth.console.filling import fill
from truenorth.console.naming import Names, journey_of, names_of
from truenorth.console.registry import Choice, Page, address_of
from truenorth.console.sight import Sight
from truenorth.console.tables import Column, Row, Table, TableElement
from truenorth.console.tiles import Tile, Tiles
from truenorth.console.words import Tone, heading, notice, paragraph
from truenorth.console.writing import Writing
from truenorth.server.api.books import EstimateShown, EvaluationShown, judge_policy
from truenorth.server.receiving import Turned
from truenorth.spec.acting import Grant
from truenorth.spec.model import Journey
from truenorth.spec.problems import TruenorthError
from truenorth.spec.wording import name_in_words

LEARNT = "learnt"
TONES: dict[str, Tone] = {"better": "good", "worse": "bad", "too_few": "warn", "unsupported": "warn"}
REFUSED = {"too_few", "unsupported"}
"""Verdicts that say nothing of the gain: no estimate is shown then."""
ESTIMATES = {
    "gain": "Gain over what was done",
    "dr": "This policy, doubly robust",
    "snipw": "This policy, weighted, self-normalised",
    "ipw": "This policy, weighted",
}


class Filters(msgspec.Struct, frozen=True):
    """Which journey, by what is chosen, what one action might cost (any amount where none is given), and how sure."""

    journey: str = ""
    policy: str = ""
    limit: float | None = None
    least: int = 200


async def _policies(sight: Sight) -> list[Choice]:
    journey = await chosen_journey(sight)
    names = await names_of(sight, journey) if journey else Names()
    always = [Choice(name, f"always: {words}") for name, words in names.actions.items()]
    learnt = Choice(LEARNT, "what is worth most, as learnt from the log")
    return [Choice("", "choose"), learnt, *always, Choice(DO_NOTHING, "always: do nothing")]


async def build(sight: Sight, filters: Filters) -> None:
    """The page."""
    name = await chosen_journey(sight)
    if name is None:
        nothing_live()
        return
    journey = await journey_of(sight, name)
    if filters.policy not in _known(journey):
        paragraph(
            "Say by what the action is to be chosen, and up to which amount it might be, such as 50 where people may "
            "spend 20 today. The answer comes from the decisions that were made here, and only where they can tell."
        )
    else:
        heading(_question(sight, journey, filters))

        def show(found: EvaluationShown | None) -> None:
            if found is None:
                notice("No decision outside the holdout has a case that has ended yet: there is nothing to judge by.")
            else:
                _show(sight, found, journey.currency or None, filters)

        await fill(
            sight,
            "Judging it on the decisions that were made: this takes some seconds ...",
            _read(sight, name, filters),
            show,
        )
    heading("What people may today")
    TableElement(_limits(journey), sight.writing)


def _question(sight: Sight, journey: Journey, filters: Filters) -> str:
    actions = {one.name: one.words for one in journey.actions} | {DO_NOTHING: "nothing"}
    by = "what is worth most were done" if filters.policy == LEARNT else f"it were always '{actions[filters.policy]}'"
    if filters.limit is None:
        return f"If {by}, within today's limits"
    return f"If {by}, and it might cost {sight.writing.money(filters.limit, journey.currency or None, 2)}"


def _known(journey: Journey) -> set[str]:
    """What can be chosen by."""
    return {LEARNT, DO_NOTHING, *(one.name for one in journey.actions)}


async def _read(sight: Sight, journey: str, filters: Filters) -> EvaluationShown | None:
    """The answer; None where no decision can be judged by yet."""
    asked = {"policy": filters.policy, "limit": filters.limit, "least": filters.least}
    try:
        return await sight.ask(judge_policy, journey=journey, **asked)
    except TruenorthError:
        return None


def _show(sight: Sight, found: EvaluationShown, currency: str | None, filters: Filters) -> None:
    writing = sight.writing
    notice(_verdict(writing, found, filters.least), TONES.get(found.verdict, "plain"))
    is_said = found.verdict not in REFUSED
    gain = _gain(writing, found.gain, currency) if is_said else ("not said", "the log cannot tell")
    Tiles(
        [
            Tile("Gain a decision", *gain),
            Tile("Worth as many decisions", writing.number(found.ess), f"{writing.number(filters.least)} are needed"),
            Tile("Decisions", writing.number(found.n), f"of {writing.number(found.n_units)} customers"),
            Tile("Never possible in the log", writing.percent(found.unsupported, 1), "of its choices"),
        ]
    )
    if found.modelled is not None:
        believed, interval = _gain(writing, found.modelled, currency)
        paragraph(f"The model of effects believes in {believed} a decision, {interval}. Nobody has seen it.")
    if is_said:
        TableElement(_estimates(found, currency), writing)


def _verdict(writing: Writing, found: EvaluationShown, least: float) -> str:
    return {
        "better": "Better than what was done.",
        "worse": "Worse than what was done.",
        "undecided": "Undecided: it may be better or worse, the interval holds zero.",
        "too_few": f"No answer: the log is worth {writing.number(found.ess)} decisions for this question, "
        f"{writing.number(least)} are needed.",
        "unsupported": f"No answer: {writing.percent(found.unsupported, 1)} of what it would do was never possible "
        "when the decisions were made, so nothing is known of it.",
    }[found.verdict]


def _gain(writing: Writing, found: EstimateShown, currency: str | None) -> tuple[str, str]:
    """A mean with its sign, and its interval."""
    mean, low, high = (
        None if cents is None else writing.money(cents / 100, currency, 2, is_change=True)
        for cents in (found.mean_cents, found.low_cents, found.high_cents)
    )
    return str(mean), f"{low} to {high} (95 %)" if low and high else "no interval: too few"


def _estimates(found: EvaluationShown, currency: str | None) -> Table:
    columns = (
        Column("estimate", "Estimate, a decision"),
        Column("mean", "Mean", "money", 2, currency),
        Column("low", "From", "money", 2, currency),
        Column("high", "To (95 %)", "money", 2, currency),
    )
    rows = [_estimate(words, getattr(found, name)) for name, words in ESTIMATES.items()]
    return Table(caption="Three estimates of the same", columns=columns, rows=rows)


def _estimate(words: str, found: EstimateShown) -> Row:
    cents = (found.mean_cents, found.low_cents, found.high_cents)
    return Row((words, *(None if one is None else one / 100 for one in cents)))


def _limits(journey: Journey) -> Table:
    """What the journey file allows, by role and accreditation."""
    authority = journey.authority
    columns = (Column("who", "Who"), Column("permission", "May"), Column("limits", "Up to"))
    held = [
        *((name_in_words(role), grants) for role, grants in authority.roles.items()),
        *((f"accredited: {name_in_words(level)}", grants) for level, grants in authority.accredited.items()),
    ]
    rows = [Row((who, name_in_words(one.permission), _up_to(one, journey))) for who, grants in held for one in grants]
    return Table(
        caption="What people may today", columns=columns, rows=rows, empty="The journey file gives nobody authority."
    )


def _up_to(grant: Grant, journey: Journey) -> str:
    return ", ".join(limit_words(one, journey.currency or "") for one in grant.limits) or "any number of times"


async def table(sight: Sight, filters: Filters) -> Table:
    """The estimates, where the decisions can tell; what people may, where nothing was asked."""
    name = await chosen_journey(sight)
    if name is None:
        raise Turned(404, "unknown_journey", "no journey is live yet: publish one first")
    journey = await journey_of(sight, name)
    if filters.policy not in _known(journey):
        return _limits(journey)
    found = await _read(sight, name, filters)
    if found is None or found.verdict in REFUSED:
        raise Turned(409, "cannot_tell", "the decisions that were made cannot tell")
    return _estimates(found, journey.currency or None)


def _twin(filters: Filters) -> str | None:
    if not filters.policy:
        return None
    given = {"policy": filters.policy, "journey": filters.journey, "limit": filters.limit, "least": filters.least}
    return address_of("/api/v1/policies/{policy}/evaluation", given)


PAGES = (
    Page(
        path="/decisions/what-if",
        title="What if",
        tab="What if",
        within="/decisions",
        role="analyst",
        filters=Filters,
        choices={"journey": journeys, "policy": _policies},
        labels={"policy": "Chosen is", "limit": "One action may cost", "least": "Decisions needed"},
        how=(
            "Every decision was logged with the chance that it had. So one that another policy would have made more "
            "often counts for more, one that it would never have made not at all: what is left is worth so many "
            "decisions (the effective sample size). Below what is needed nothing is said.",
            "With an amount, every action that costs no more is taken as allowed, and no other. What was never "
            "possible when the decisions were made leaves no trace in the log: where that is more than 5 % of the "
            "choices, there is no answer, only what the model of effects believes.",
            "Counted is the net value a decision: what the outcome of the case is worth, plus its revenue, less what "
            "was spent. Held-out and open cases are left out. Gain: the doubly robust estimate less what was done, "
            "with its 95 % interval by customers.",
        ),
        twin=_twin,
        table=table,
        build=build,
    ),
)
