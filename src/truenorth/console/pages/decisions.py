"""Decisions: where candidates fell and why, what people made of the rest, the holdout, approvals; one made again."""

from __future__ import annotations

import msgspec

from truenorth.action.values import STAGES
from truenorth.console.choosing import chosen_journey, journeys, nothing_live
from truenorth.console.naming import Names, names_of, titles_of
from truenorth.console.periods import Days
from truenorth.console.registry import Page, address_of
from truenorth.console.sight import Sight
from truenorth.console.tables import Act, Column, Row, Table, TableElement
from truenorth.console.tiles import Tile, Tiles
from truenorth.console.words import Words, heading, link, muted, paragraph, tag
from truenorth.server.api.authority import ApprovalAnswer, ApprovalShown, answer_approval, list_approvals
from truenorth.server.api.decisions import DecisionShown, DecisionWhole, read_decision
from truenorth.server.api.funnel import STATES, Funnel, read_funnel
from truenorth.server.receiving import Turned
from truenorth.spec.wording import name_in_words

STATE_WORDS = {"proposed": "Waits", "escalated": "Approval asked"}
"""States that are called otherwise on the page."""


class Filters(msgspec.Struct, frozen=True):
    """Which journey, and decisions of how many days."""

    journey: str = ""
    days: Days = "28"


class OneFilters(msgspec.Struct, frozen=True):
    """Which decision."""

    id: str = ""


async def _read(sight: Sight, filters: Filters) -> Funnel | None:
    journey = await chosen_journey(sight)
    if journey is None:
        return None
    return await sight.ask(read_funnel, journey=journey, days=int(filters.days))


async def build(sight: Sight, filters: Filters) -> None:
    """The page."""
    found = await _read(sight, filters)
    if found is None:
        nothing_live()
        return
    names = await names_of(sight, found.journey)
    Tiles(_tiles(sight, found))
    if found.more:
        muted("More were made: the newest 5,000 are counted.")
    heading("Where candidates fell")
    TableElement(_funnel(found, names), sight.writing)
    heading("Why they fell")
    TableElement(_reasons(found, names), sight.writing)
    heading("What became of the chosen")
    TableElement(_became(found, names), sight.writing)
    await _approvals(sight, names)
    heading("The holdout")
    share = sight.writing.percent(found.holdout)
    muted(f"{share} of cases are held out: never acted upon, so that what acting brings can be measured.")
    TableElement(_arms(found), sight.writing)
    if any(2 * arm.n_decided < arm.n_cases for arm in found.arms):
        muted("Too early for shares where fewer than half have ended: those that end first are mostly those that fail.")
    with Words("p", ""):
        link("What acting brought", address_of("/decisions/ledger", {"journey": found.journey}))
        Words("span", " and whether as many cases are held out as were meant to be, is in the ledger.")
    heading("The newest decisions")
    TableElement(_newest(found.newest, names), sight.writing)


def _tiles(sight: Sight, found: Funnel) -> list[Tile]:
    n = sight.writing.number
    total = {state: sum(one.became[state] for one in found.actions) for state in STATES}
    done = total["accepted"] + total["done"]
    answered = done + total["declined"] + total["changed"]
    share = sight.writing.percent(done / answered if answered else None)
    return [
        Tile("Decisions", n(found.n_decisions), f"{n(found.n_nothing)} to do nothing"),
        Tile("Accepted", share, f"{n(done)} of {n(answered)} answered"),
        Tile("Declined", n(total["declined"])),
        Tile("Asked for approval", n(found.n_escalated)),
        Tile("Expired", n(total["expired"])),
    ]


def _funnel(found: Funnel, names: Names) -> Table:
    columns = (
        Column("action", "Action"),
        Column("considered", "Considered", "number"),
        *(Column(stage, stage.capitalize(), "number") for stage in STAGES),
        Column("stayed", "Stayed", "number"),
        Column("chosen", "Chosen", "number"),
    )
    rows = [
        Row((names.action(one.action), one.considered, *(one.fell[stage] for stage in STAGES), one.stayed, one.chosen))
        for one in found.actions
    ]
    empty = "Nothing was decided in this time."
    return Table(caption="Where candidates fell, by action", columns=columns, rows=rows, empty=empty)


def _became(found: Funnel, names: Names) -> Table:
    columns = (
        Column("action", "Action"),
        Column("chosen", "Chosen", "number"),
        *(Column(state, STATE_WORDS.get(state, state.capitalize()), "number") for state in STATES),
    )
    rows = [
        Row((names.action(one.action), one.chosen, *(one.became[state] for state in STATES)))
        for one in found.actions
        if one.chosen
    ]
    return Table(caption="What became of the chosen", columns=columns, rows=rows, empty="Nothing was chosen.")


def _reasons(found: Funnel, names: Names) -> Table:
    columns = (
        Column("action", "Action"),
        Column("stage", "Stage"),
        Column("words", "Why"),
        Column("n", "Times", "number"),
    )
    rows = [
        Row((names.action(one.action), reason.stage, reason.words, reason.n))
        for one in found.actions
        for reason in one.reasons
    ]
    return Table(caption="Why candidates fell", columns=columns, rows=rows, empty="None fell.")


def _arms(found: Funnel) -> Table:
    columns = (
        Column("arm", "Cases"),
        Column("n_cases", "With a decision", "number"),
        Column("n_decided", "Ended", "number"),
        Column("share", "Reached the outcome", "percent", 1),
        Column("low", "From", "percent", 1),
        Column("high", "To (95 %)", "percent", 1),
    )
    rows = [
        Row(("held out" if arm.held_out else "acted upon", arm.n_cases, arm.n_decided, arm.share, arm.low, arm.high))
        for arm in found.arms
    ]
    return Table(caption="The holdout by arm", columns=columns, rows=rows, empty="Nothing was decided in this time.")


def _newest(newest: list[DecisionShown], names: Names) -> Table:
    columns = (
        Column("case", "Case"),
        Column("at", "When", "instant"),
        Column("chosen", "Chosen"),
        Column("state", "State"),
        Column("asker", "For"),
        Column("propensity", "Chance it had", "percent", 1),
    )
    rows = [
        Row(
            (
                one.case,
                one.at,
                names.action(one.chosen),
                STATE_WORDS.get(one.state, one.state).lower(),
                name_in_words(one.team) if one.team else one.asker,
                one.propensity,
            ),
            address=address_of("/decisions/{id}", {"id": one.id}),
        )
        for one in newest
    ]
    return Table(caption="The newest decisions", columns=columns, rows=rows, empty="Nothing was decided in this time.")


async def _approvals(sight: Sight, names: Names) -> None:
    """Requests beyond limits that wait, with what can be answered."""
    heading("Approvals waiting")
    waiting: list[ApprovalShown] = []

    async def shown() -> Table:
        waiting[:] = await sight.ask(list_approvals, state="waiting")
        columns = (
            Column("action", "Action"),
            Column("case", "Case"),
            Column("amount", "Amount", "money", 2, names.currency),
            Column("asked_by", "Asked by"),
            Column("at", "When", "instant"),
            Column("expires", "Until", "instant"),
            Column("needed", "Grants needed", "number"),
        )
        acts = (Act("grant", "Grant"), Act("refuse", "Refuse"))
        rows = [
            Row(
                (
                    names.action(one.action), one.case, one.amount_cents / 100, one.asked_by, one.at, one.expires,
                    one.n_needed,
                ),
                address=address_of("/decisions/{id}", {"id": one.decision}),
                acts=acts,
            )
            for one in waiting
        ]  # fmt: skip
        return Table(caption="Approvals waiting", columns=columns, rows=rows, empty="Nobody waits for an approval.")

    async def act(name: str, row: int) -> None:
        answer = ApprovalAnswer(granted=name == "grant")
        await sight.ask(answer_approval, number=waiting[row].number, answer=answer)
        sight.tell("Granted." if answer.granted else "Refused.", "good")
        waits.show(await shown())

    waits = TableElement(await shown(), sight.writing, sight.doing(act))


async def table(sight: Sight, filters: Filters) -> Table:
    """The funnel."""
    found = await _read(sight, filters)
    return _funnel(found, Names()) if found else Table(caption="The funnel by action", columns=(), rows=())


# ---- one decision


async def build_one(sight: Sight, filters: OneFilters) -> None:
    """One decision, replayed."""
    try:
        whole = await sight.ask(read_decision, id=filters.id)
    except Turned as turned:
        if turned.status != 422:
            raise
        raise Turned(404, "unknown_decision", "there is no decision of this id") from None
    decision = whole.decision
    with Words("p", "", "tn-heading"):
        Words("strong", Names(actions=whole.titles).action(decision.chosen))
        tag(decision.state)
        again = whole.reproduced
        tag(
            "✓ made again from its record: the same" if again else "✗ not the same made again",
            "good" if again else "bad",
        )
    with Words("p", "", "tn-muted"):
        Words("bdi", decision.case)
        title = (await titles_of(sight)).get(decision.journey, decision.journey)
        asker = name_in_words(decision.team) if decision.team else decision.asker
        Words("span", f", {title}, {sight.writing.instant(decision.at)}, for {asker}")
    heading("Why")
    with Words("ul", ""):
        for reason in whole.reasons:
            Words("li", reason)
    heading("What would have changed it")
    with Words("ul", ""):
        for other in whole.counterfactuals:
            Words("li", other)
    if not whole.counterfactuals:
        paragraph("No single change that was looked at.")
    heading("Every candidate")
    TableElement(_candidates(whole), sight.writing)


async def table_of_one(sight: Sight, filters: OneFilters) -> Table:
    """Every candidate."""
    return _candidates(await sight.ask(read_decision, id=filters.id))


def _candidates(whole: DecisionWhole) -> Table:
    names = Names(whole.currency, whole.titles)
    columns = (
        Column("action", "Action"),
        Column("stage", "Fell at"),
        Column("words", "Why"),
        Column("dp", "Likelier", "percent", 1),
        Column("low", "From", "percent", 1),
        Column("high", "To", "percent", 1),
        Column("value", "Worth", "money", 2, whole.currency),
        Column("cost", "Cost", "money", 2, whole.currency),
        Column("propensity", "Chance it had", "percent", 1),
    )
    rows = [
        Row(
            (
                names.action(one.action), one.stage or "stayed", one.words, one.dp, one.dp_low, one.dp_high,
                one.value_cents / 100, one.cost_cents / 100, one.propensity,
            )
        )
        for one in whole.candidates
    ]  # fmt: skip
    return Table(caption="Every candidate", columns=columns, rows=rows)


PAGES = (
    Page(
        path="/decisions",
        title="Decisions",
        group="Act",
        tab="Funnel",
        role="analyst",
        filters=Filters,
        choices={"journey": journeys},
        how=(
            "Every decision keeps every candidate with the stage at which it fell and the words that said why; a "
            "proposal that nobody answered has expired. Counted are decisions that were made in these days.",
            "The arms compare cases about which something was decided, held out or not. They differ by chance only in "
            "what was intended; what acting brought, with its interval, is in the ledger.",
        ),
        twin=lambda filters: address_of("/api/v1/decisions/funnel", msgspec.structs.asdict(filters)),
        table=table,
        build=build,
    ),
    Page(
        path="/decisions/{id}",
        title="A decision",
        within="/decisions",
        role="agent",
        filters=OneFilters,
        how=(
            "From the record that was kept when it was made the decision is made once more; it has to be the same, bit "
            "by bit. What would have changed it: one thing about the case at a time, all else as it was.",
        ),
        twin=lambda filters: address_of("/api/v1/decisions/{id}", {"id": filters.id}),
        table=table_of_one,
        build=build_one,
    ),
)
