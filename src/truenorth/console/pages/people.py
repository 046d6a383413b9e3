"""Desk: the rights of people: what is held about somebody, and its erasure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from truenorth.console.fields import Field, button
from truenorth.console.listing import all_pages
from truenorth.console.registry import Page, address_of
from truenorth.console.sight import Sight
from truenorth.console.tables import Column, Row, Table, TableElement
from truenorth.console.words import Words, heading, link, muted, notice, paragraph
from truenorth.server.api.customers import Held, ReceiptShown, erase_customer, list_erasures, read_customer
from truenorth.server.receiving import Turned
from truenorth.spec.wording import name_in_words

PARTS = {
    "event": "events",
    "refused": "items in quarantine",
    "case_row": "cases",
    "promise_row": "promises",
    "risk": "risks of open cases",
    "risk_past": "risks, as they were",
    "signal": "signals",
    "audit": "notes in the audit",
    "decision": "decisions",
}
"""Tables of the store, as people call them."""


class Filters(msgspec.Struct, frozen=True):
    """Any id of a person."""

    customer: str = ""


async def table(sight: Sight, filters: Filters) -> Table:
    """All erasures."""
    del filters
    return _receipts(await all_pages(sight, list_erasures))


async def build(sight: Sight, filters: Filters) -> None:
    """What is held about somebody, and all erasures."""
    if filters.customer:
        held = msgspec.json.decode((await sight.ask(read_customer, id=filters.customer)).body)
        _show_held(sight, Held(**held), filters.customer)
    else:
        muted("Give any id of a person to see everything that is held about them; it is noted in the audit.")
    heading("Erasures")
    TableElement(_receipts(await all_pages(sight, list_erasures)), sight.writing)


def _show_held(sight: Sight, held: Held, customer: str) -> None:
    heading("What is held")
    with Words("p", ""):
        Words("span", "Ids: ")
        Words("bdi", ", ".join(held.ids))
    columns = (Column("table", "What"), Column("rows", "How many", "number"))
    rows = [Row((PARTS.get(name, name_in_words(name)), len(found))) for name, found in held.held.items()]
    TableElement(Table(caption="What is held", columns=columns, rows=rows), sight.writing)
    link("All of it as JSON", address_of("/api/v1/customers/{id}", {"id": customer}))

    async def erase() -> None:
        if confirmed.value != customer:
            raise Turned(422, "not_confirmed", "expected the same id once more; nothing was erased")
        receipt = await sight.ask(erase_customer, id=customer)
        done.set_text(f"Erased: receipt {receipt.number}, {receipt.n_ids} ids.")
        done.set_visibility(True)

    with Words("div", "", "tn-card"):
        heading("Erase")
        paragraph(
            "Everything of all these ids goes, for good, and what arrives of them later is not taken. Type the id once "
            "more to confirm."
        )
        with Words("div", "", "tn-form"):
            confirmed = Field("Id")
            button("Erase for good", sight.doing(erase))
        done = notice("", "good")
    done.set_visibility(False)


def _receipts(found: Sequence[ReceiptShown]) -> Table:
    columns = (
        Column("number", "Receipt", "number"),
        Column("erased", "Erased", "instant"),
        Column("asked_by", "Asked by"),
        Column("n_ids", "Ids", "number"),
        Column("rows", "Rows", "number"),
        Column("scrubbed", "No trace in files since", "instant"),
    )
    rows = [
        Row((one.number, one.erased, one.asked_by, one.n_ids, sum(one.counts.values()), one.scrubbed)) for one in found
    ]
    return Table(caption="Erasures", columns=columns, rows=rows, empty="Nobody was erased.")


PAGES = (
    Page(
        path="/desk/people",
        title="People's rights",
        group="Run",
        role="admin",
        filters=Filters,
        labels={"customer": "Any id of a person"},
        how=(
            "Everything held about a person under any of their ids, and its erasure. A receipt names nobody. Judging "
            "the log anew does not bring anybody back. Looking is noted in the audit, erasing too, without the id.",
        ),
        twin=lambda filters: (
            address_of("/api/v1/customers/{id}", {"id": filters.customer}) if filters.customer else "/api/v1/erasures"
        ),
        table=table,
        build=build,
    ),
)
