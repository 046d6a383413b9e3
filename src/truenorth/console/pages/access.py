"""Desk: who may send events, ask, and sign in; and who did what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import get_args

import msgspec

from truenorth.console.fields import Field, Select, button, copy_button
from truenorth.console.listing import all_pages, first_page, link_on
from truenorth.console.registry import Choice, NoFilters, Page, address_of
from truenorth.console.roles import named
from truenorth.console.sight import Sight
from truenorth.console.tables import Act, Column, Row, Table, TableElement
from truenorth.console.words import Words, heading, link, notice
from truenorth.server.api.access import (
    KeyAsked,
    KeyShown,
    TokenAsked,
    TokenShown,
    add_key,
    add_token,
    list_keys,
    list_tokens,
    revoke_keys,
    revoke_tokens,
)
from truenorth.server.api.accounts import (
    AccountChange,
    AccountShown,
    InvitationAsked,
    InvitationShown,
    change_account,
    invite,
    list_accounts,
    list_invitations,
    withdraw_invitation,
)
from truenorth.server.api.audit import NotedShown, list_audit
from truenorth.store.rows import Role

ROLES: tuple[Role, ...] = get_args(Role)
OLDER = "older"
CREATED = (Column("created", "Made", "instant"), Column("revoked", "Revoked", "instant"))


class Shown:
    """A place for a secret that is shown once."""

    def __init__(self) -> None:
        self._said = notice("", "good")
        self._secret = Words("code", "", "tn-code", tabindex="0", role="region", aria_label="The secret")
        copies = copy_button("the secret")
        with Words("p", "", "tn-links") as self._next:
            link("Put it into a client", "/desk/connect")
        self._parts = (self._said, self._secret, copies, self._next)
        for part in self._parts:
            part.set_visibility(False)

    def show(self, said: str, secret: str, *, leads_on: bool = False) -> None:
        """Show one; ``leads_on`` to how clients are set up."""
        self._said.set_text(said)
        self._secret.set_text(secret)
        for part in self._parts:
            part.set_visibility(part is not self._next or leads_on)


async def keys(sight: Sight, filters: NoFilters) -> Table:
    """The write keys."""
    del filters
    return _keys(await sight.ask(list_keys))


async def build_keys(sight: Sight, filters: NoFilters) -> None:
    """Write keys and tokens."""
    del filters

    async def make_key() -> None:
        made = await sight.ask(add_key, asked=KeyAsked(source=source.value))
        secret.show(f"Write key of {made.source}, shown this once:", made.secret, leads_on=True)
        await again()

    async def make_token() -> None:
        made = await sight.ask(add_token, asked=TokenAsked(label=label.value, role=role.value))
        secret.show(f"Token of {made.label}, shown this once:", made.secret)
        await again()

    async def end_key(act: str, row: int) -> None:
        await sight.ask(revoke_keys, source=key_rows[row].source, but_newest=act == OLDER)
        await again()

    async def end_token(act: str, row: int) -> None:
        await sight.ask(revoke_tokens, label=token_rows[row].label, but_newest=act == OLDER)
        await again()

    async def again() -> None:
        key_rows[:], token_rows[:] = await sight.ask(list_keys), await sight.ask(list_tokens)
        shown_keys.show(_keys(key_rows))
        shown_tokens.show(_tokens(token_rows))

    secret = Shown()
    heading("Write keys: who sends events")
    with Words("div", "", "tn-form"):
        source = Field("Source", hint="the events' source, such as shop")
        button("Make a write key", sight.doing(make_key), is_main=True)
    key_rows = list(await sight.ask(list_keys))
    shown_keys = TableElement(_keys(key_rows), sight.writing, sight.doing(end_key))
    heading("Tokens: programs that ask")
    with Words("div", "", "tn-form"):
        label = Field("Name", hint="what it is for")
        role = Select("Role", [Choice(one, one) for one in ROLES])
        button("Make a token", sight.doing(make_token), is_main=True)
    token_rows = list(await sight.ask(list_tokens))
    shown_tokens = TableElement(_tokens(token_rows), sight.writing, sight.doing(end_token))


def _keys(found: Sequence[KeyShown]) -> Table:
    acts = (
        Act("revoke", "Revoke", "Revoke all keys of this source? What sends with them is turned away."),
        Act(OLDER, "Revoke older ones", "Revoke all keys of this source but the newest? Clients have the new one?"),
    )
    n_valid = Counter(one.source for one in found if not one.revoked)
    rows = [
        Row((one.source, one.created, one.revoked), acts=() if one.revoked else acts[: n_valid[one.source]])
        for one in found
    ]
    return Table(
        caption="Write keys",
        columns=(Column("source", "Source"), *CREATED),
        rows=rows,
        empty="Nobody can send events yet: make a write key.",
    )


def _tokens(found: Sequence[TokenShown]) -> Table:
    acts = (
        Act("revoke", "Revoke", "Revoke all tokens of this name?"),
        Act(OLDER, "Revoke older ones", "Revoke all tokens of this name but the newest?"),
    )
    n_valid = Counter(one.label for one in found if not one.revoked)
    rows = [
        Row((one.label, one.role, one.created, one.revoked), acts=() if one.revoked else acts[: n_valid[one.label]])
        for one in found
    ]
    columns = (Column("label", "Name"), Column("role", "Role"), *CREATED)
    return Table(caption="Tokens", columns=columns, rows=rows, empty="No program may ask yet.")


async def accounts(sight: Sight, filters: NoFilters) -> Table:
    """The accounts."""
    del filters
    return _accounts(await sight.ask(list_accounts))


async def build_accounts(sight: Sight, filters: NoFilters) -> None:
    """Who may sign in, and by which role."""
    del filters

    async def ask_in() -> None:
        made = await sight.ask(invite, asked=InvitationAsked(name=name.value, role=role.value))
        until = sight.writing.instant(made.expires)
        secret.show(
            f"Link for {made.name}, as {named(made.role)}; it holds once, until {until}:",
            f"{sight.service}{made.path}",
        )
        await again()

    async def withdraw(act: str, row: int) -> None:
        del act
        await sight.ask(withdraw_invitation, name=invited[row].name)
        await again()
        sight.tell("Withdrawn: the link holds no more.", "good")

    async def acted(act: str, row: int) -> None:
        change = AccountChange(state="off" if act == "off" else "on") if act in {"on", "off"} else None
        change = change or AccountChange(role=act)  # type: ignore[arg-type]
        await sight.ask(change_account, name=rows[row].name, change=change)
        await again()
        sight.tell("Done; it holds from the next request.", "good")

    async def again() -> None:
        rows[:], invited[:] = await sight.ask(list_accounts), await sight.ask(list_invitations)
        shown.show(_accounts(rows))
        shown_invited.show(_invitations(invited))

    secret = Shown()
    heading("Invite somebody")
    with Words("div", "", "tn-form"):
        name = Field("Name", hint="for somebody who has an account: a new password")
        role = Select("Role", [Choice(one, named(one)) for one in ROLES])
        button("Make a link", sight.doing(ask_in), is_main=True)
    invited = list(await sight.ask(list_invitations))
    shown_invited = TableElement(_invitations(invited), sight.writing, sight.doing(withdraw))
    heading("Accounts")
    rows = list(await sight.ask(list_accounts))
    shown = TableElement(_accounts(rows), sight.writing, sight.doing(acted))


def _accounts(found: Sequence[AccountShown]) -> Table:
    columns = (
        Column("name", "Name"),
        Column("role", "Role"),
        Column("issuer", "Vouched for by"),
        Column("created", "Made", "instant"),
        Column("off", "Off since", "instant"),
    )
    rows = [
        Row((one.name, named(one.role), one.issuer or "a password", one.created, one.off), acts=_account_acts(one))
        for one in found
    ]
    return Table(caption="Accounts", columns=columns, rows=rows, empty="Nobody has an account yet.")


def _invitations(found: Sequence[InvitationShown]) -> Table:
    columns = (
        Column("name", "Invited"),
        Column("role", "Role"),
        Column("by", "By"),
        Column("created", "Made", "instant"),
        Column("expires", "Holds until", "instant"),
    )
    acts = (Act("withdraw", "Withdraw", "Withdraw it? Whoever has the link can join by it no more."),)
    rows = [
        Row((one.name or "whoever has the link", named(one.role), one.by, one.created, one.expires), acts=acts)
        for one in found
    ]
    return Table(caption="Open invitations", columns=columns, rows=rows, empty="No invitation is open.")


def _account_acts(one: AccountShown) -> tuple[Act, ...]:
    if one.off is not None:
        return (Act("on", "Switch on"),)
    roles = tuple(Act(role, f"Make {named(role)}") for role in ROLES if role != one.role)
    return (*roles, Act("off", "Switch off", "Switch it off? It is signed out everywhere at once."))


class AuditFilters(msgspec.Struct, frozen=True):
    """Where the list begins."""

    after: str = ""


async def audit(sight: Sight, filters: AuditFilters) -> Table:
    """The newest lines, as far as CSV goes."""
    del filters
    return _audit(await all_pages(sight, list_audit, newest=True))


async def build_audit(sight: Sight, filters: AuditFilters) -> None:
    """Who did what, the newest first."""
    del filters
    page = await first_page(sight, list_audit, newest=True)
    TableElement(_audit(page.items), sight.writing)
    link_on(sight, page)


def _audit(found: Sequence[NotedShown]) -> Table:
    columns = (
        Column("time", "When", "instant"),
        Column("who", "Who"),
        Column("what", "What"),
        Column("about", "About"),
    )
    rows = [Row((one.time, one.who, one.what, one.about)) for one in found]
    return Table(caption="Audit", columns=columns, rows=rows)


PAGES = (
    Page(
        path="/desk/keys",
        title="Keys",
        group="Run",
        role="admin",
        how=("A key or token is made of 256 random bits and shown once; only a hash of it is kept.",),
        twin=lambda _: "/api/v1/write-keys",
        table=keys,
        build=build_keys,
    ),
    Page(
        path="/desk/accounts",
        title="Accounts",
        group="Run",
        role="admin",
        how=(
            "Who may sign in here. Each role may what those before it may: leader, agent, analyst, admin. A link "
            "invites once, within a week. There is always an administrator left.",
        ),
        twin=lambda _: "/api/v1/accounts",
        table=accounts,
        build=build_accounts,
    ),
    Page(
        path="/desk/audit",
        title="Audit",
        group="Run",
        role="admin",
        filters=AuditFilters,
        silent=("after",),
        how=(
            "Who read or changed personal data, keys, journeys and the like. Lines are added, never changed; the id of "
            "somebody who was erased is taken out.",
        ),
        twin=lambda filters: address_of("/api/v1/audit", {"newest": True, "after": filters.after}),
        table=audit,
        build=build_audit,
    ),
)
