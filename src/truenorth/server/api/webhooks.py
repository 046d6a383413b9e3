"""Webhooks: where signals are sent."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from truenorth.server.api.context import Context, Instant, Served, Text, showing, shown
from truenorth.server.api.paging import BIGGEST, Listed, PageAsked, listed
from truenorth.server.auth import Admin
from truenorth.server.receiving import Turned
from truenorth.server.signals_of import KINDS
from truenorth.server.targets import checked_url
from truenorth.server.webhook_message import new_secret
from truenorth.store.rows import DeadLetter, Webhook, WebhookState

ROUTER = APIRouter(tags=["webhooks"])
MAX_WEBHOOKS = 100
Number = Annotated[int, Path(ge=1, le=BIGGEST)]
SHOWN = {
    "number": 1,
    "url": "https://crm.example/truenorth",
    "kinds": ["broken", "failed"],
    "state": "active",
    "created": "2026-01-05T09:30:00.000000Z",
}
DEAD = {
    "signal": 4711,
    "journey": "support",
    "kind": "broken",
    "case": "T0007",
    "time": "2026-01-05T09:30:00.000000Z",
    "attempts": 11,
    "last_error": "answered 500",
}


class WebhookAsked(BaseModel):
    """Where to send signals of some kinds; none named: of all kinds."""

    model_config = showing({"url": SHOWN["url"], "kinds": SHOWN["kinds"]}, extra="forbid")
    url: Text
    kinds: Annotated[list[Literal[KINDS]], Field(max_length=len(KINDS))] = []  # type: ignore[valid-type]


class WebhookChange(BaseModel):
    """A paused webhook is sent nothing; what waits for it goes on waiting."""

    model_config = showing({"state": "paused"}, extra="forbid")
    state: WebhookState


class WebhookShown(BaseModel):
    """A webhook, without its secret."""

    model_config = showing(SHOWN)
    number: int
    url: str
    kinds: list[str]
    state: WebhookState
    created: Instant


class WebhookMade(WebhookShown):
    """A new webhook with the secret that signs what it is sent: it is shown this once."""

    model_config = showing({**SHOWN, "secret": "whsec_..."})
    secret: str


class DeadLetterShown(BaseModel):
    """A signal that could not be delivered to a webhook and is tried no more, with what its last attempt met."""

    model_config = showing(DEAD)
    signal: int
    journey: str
    kind: str
    case: str | None
    time: Instant
    attempts: int
    last_error: str | None = Field(description="may hold what the receiver answered: never markup")


class LettersRetried(BaseModel):
    """How many dead letters are tried again, from their first attempt on."""

    model_config = showing({"retried": 3})
    retried: int


@ROUTER.get("/webhooks")
def list_webhooks(served: Served, caller: Admin) -> list[WebhookShown]:
    """All webhooks. Role: admin."""
    return [_shown(hook) for hook in served.store.outbox.webhooks()]


@ROUTER.post("/webhooks", status_code=201)
def add_webhook(served: Served, caller: Admin, asked: WebhookAsked) -> WebhookMade:
    """Register a webhook: signals given from now on are sent there. Role: admin.

    Its address is a public one, reached by https; 422 tells what is wrong with another.
    """
    if len(served.store.outbox.webhooks()) >= MAX_WEBHOOKS:
        raise Turned(409, "too_many_webhooks", f"there are {MAX_WEBHOOKS} webhooks; remove one first")
    checked_url(asked.url, served.targets)
    secret = new_secret(served.entropy)
    hook = served.store.outbox.add_webhook(asked.url, secret, kinds=asked.kinds, now_us=served.now_us())
    served.note(caller, "added a webhook", f"webhook {hook.number}")
    return WebhookMade(**_shown(hook).model_dump(), secret=secret)


@ROUTER.patch("/webhooks/{number}")
def change_webhook(served: Served, caller: Admin, number: Number, change: WebhookChange) -> WebhookShown:
    """Pause a webhook or take it up again. Role: admin."""
    if not served.store.outbox.set_webhook(number, change.state):
        raise _unknown()
    served.note(caller, f"set a webhook to {change.state}", f"webhook {number}")
    return next(_shown(hook) for hook in served.store.outbox.webhooks() if hook.number == number)


@ROUTER.delete("/webhooks/{number}", status_code=204)
def remove_webhook(served: Served, caller: Admin, number: Number) -> None:
    """Remove a webhook and what waits for it. Role: admin."""
    if not served.store.outbox.remove_webhook(number):
        raise _unknown()
    served.note(caller, "removed a webhook", f"webhook {number}")


@ROUTER.get("/webhooks/{number}/dead-letters")
def list_dead_letters(served: Served, caller: Admin, number: Number, page: PageAsked) -> Listed[DeadLetterShown]:
    """What could not be delivered and is tried no more, in the order of signals. Role: admin."""
    _known(served, number)
    found = served.store.outbox.dead_letters(webhook=number, after=page.number(), limit=page.limit + 1)
    rows, more = listed(found, page.limit, lambda row: row.signal)
    return Listed(items=[_letter(one) for one in rows], next=more)


@ROUTER.post("/webhooks/{number}/dead-letters/retry")
def retry_dead_letters(
    served: Served,
    caller: Admin,
    number: Number,
    signal: Annotated[int | None, Query(ge=1, le=BIGGEST, description="only this signal")] = None,
) -> LettersRetried:
    """Try dead letters again, all of them or one. Role: admin."""
    _known(served, number)
    n = served.store.outbox.retry_dead(served.now_us(), webhook=number, signal=signal)
    served.note(caller, "retried dead letters", f"webhook {number}")
    return LettersRetried(retried=n)


def _known(served: Context, number: int) -> None:
    if all(hook.number != number for hook in served.store.outbox.webhooks()):
        raise _unknown()


def _letter(letter: DeadLetter) -> DeadLetterShown:
    fields = shown(letter)
    del fields["webhook"], fields["url"]
    return DeadLetterShown(**fields)


def _unknown() -> Turned:
    return Turned(404, "unknown_webhook", "there is no webhook of this number; see /api/v1/webhooks")


def _shown(hook: Webhook) -> WebhookShown:
    fields = shown(hook)
    del fields["secret"]
    return WebhookShown(**{**fields, "kinds": list(hook.kinds)})
