"""Commands about a store: its health, its log, who may send and ask, and whom it tells."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from truenorth.cli.cluster import Choice
from truenorth.cli.frame import AsJson, LogPath, Maps, ObjectType, asked, fields_of, pairs_of, progress, told

app = typer.Typer()
keys = typer.Typer(help="Write keys: who may send events.", no_args_is_help=True)
tokens = typer.Typer(help="Tokens: who may ask, and in which role.", no_args_is_help=True)
webhooks = typer.Typer(help="Webhooks: who is told of signals.", no_args_is_help=True)


class RoleName(StrEnum):
    """Roles of a token."""

    viewer = "viewer"
    agent = "agent"
    analyst = "analyst"
    admin = "admin"


Database = Annotated[
    str,
    typer.Option(
        "--db", metavar="URL", envvar="TRUENORTH_DB", help="sqlite:///FILE or postgresql://USER@HOST/DATABASE."
    ),
]
Before = Annotated[
    str | None, typer.Option("--before", metavar="DATE", help="What was received before it, such as 2026-01-01.")
]
OlderThan = Annotated[
    str | None, typer.Option("--older-than", metavar="TIME", help="What was received longer ago, such as 90d.")
]
DEFAULT = "sqlite:///truenorth.db"
Source = Annotated[str, typer.Argument(metavar="SOURCE", help="The name that events sent with the key bear.")]
Label = Annotated[str, typer.Argument(metavar="LABEL", help="Whose token it is.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
ButNewest = Annotated[bool, typer.Option("--but-newest", help="Leave the newest one as it is.")]
Number = Annotated[int, typer.Argument(metavar="N", help="The number of a webhook, as 'webhooks list' shows it.")]
OfWebhook = Annotated[int | None, typer.Option("--webhook", metavar="N", help="Only those to this webhook.")]


@app.command(epilog="Example: truenorth doctor --db postgresql://truenorth@db.internal/truenorth")
def doctor(db: Database = DEFAULT, json: AsJson = False) -> None:
    """Look for what is wrong, and say what to do; exit status 1 if something is."""
    with told(json), progress(json) as tell:
        from truenorth.printing import store as printing_store
        from truenorth.wiring import store as wiring_store

        findings = wiring_store.examine(db, tell)
    printing_store.findings(findings, as_json=json)
    raise typer.Exit(any(finding.state == "wrong" for finding in findings))


@app.command(epilog="Example: truenorth archive --older-than 90d --folder /var/lib/truenorth/archive")
def archive(
    folder: Annotated[
        Path, typer.Option("--folder", metavar="DIR", help="Where the files go; it stays part of the log.")
    ],
    before: Before = None,
    older_than: OlderThan = None,
    db: Database = DEFAULT,
    json: AsJson = False,
) -> None:
    """Move old events from the database to Parquet files, so that it stays small; they remain part of the log."""
    with told(json), progress(json) as tell:
        from truenorth.printing import store as printing_store
        from truenorth.wiring import store as wiring_store

        before_us = _cut_us(before, older_than)
        archived = wiring_store.archive(db, before_us, folder, tell)
    printing_store.archived(archived, folder, as_json=json)


@app.command(epilog="Example: truenorth forget --older-than 104w")
def forget(
    before: Before = None,
    older_than: OlderThan = None,
    yes: Yes = False,
    db: Database = DEFAULT,
    json: AsJson = False,
) -> None:
    """End what is too old, archived events too: events, refused items, closed cases and signals."""
    sure = _asking(yes, json)
    with told(json):
        from truenorth.printing import store as printing_store
        from truenorth.wiring import store as wiring_store

        before_us = _cut_us(before, older_than)
        sure("Forget what came before?")
        with progress(json) as tell:
            forgotten = wiring_store.forget(db, before_us, tell)
    printing_store.forgotten(forgotten, as_json=json)


@app.command(epilog="Example: truenorth erase u-1001 ann@example.org --by 'ticket 4711'")
def erase(
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="Ids of one person.")],
    only: Annotated[bool, typer.Option("--only", help="Not the other ids that the log states to be theirs.")] = False,
    by: Annotated[
        str | None, typer.Option("--by", metavar="WHO", help="Who asks for it, for the receipt; you.")
    ] = None,
    yes: Yes = False,
    db: Database = DEFAULT,
    json: AsJson = False,
) -> None:
    """Remove everything about a person for good, archived events too, and print the receipt."""
    sure = _asking(yes, json)
    with told(json):
        from truenorth.printing import store as printing_store
        from truenorth.wiring import store as wiring_store

        with progress(json) as tell:
            everything = ids if only else wiring_store.ids_of_person(db, ids, tell)
        sure(f"Erase everything about {', '.join(everything)}?")
        with progress(json) as tell:
            receipt = wiring_store.erase(db, everything, by, tell)
    printing_store.receipt(receipt, as_json=json)


@app.command(epilog="Example: truenorth export --out log.parquet")
def export(
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="One file, whole: .jsonl or .parquet.")
    ] = None,
    parquet: Annotated[
        Path | None, typer.Option("--parquet", metavar="DIR", help="A folder of Parquet files by day: what is new.")
    ] = None,
    iceberg_path: Annotated[
        Path | None, typer.Option("--iceberg-path", metavar="DIR", help="An Iceberg table in a folder: what is new.")
    ] = None,
    kafka: Annotated[
        str | None, typer.Option("--kafka", metavar="HOST:PORT", help="Brokers of Kafka, separated by commas.")
    ] = None,
    topic: Annotated[str, typer.Option(metavar="NAME", help="The topic of Kafka.")] = "truenorth.events",
    after: Annotated[
        int, typer.Option(metavar="N", min=0, help="To Kafka: what comes after this position of the log.")
    ] = 0,
    setting: Annotated[
        list[str] | None, typer.Option("--setting", metavar="NAME=VALUE", help="A further one of the client of Kafka.")
    ] = None,
    anew: Annotated[bool, typer.Option("--anew", help="Write a folder or a table again from the beginning.")] = False,
    identities: Annotated[
        Choice, typer.Option(help="To a file: what becomes of ids stated to be one person's.")
    ] = Choice.as_written,
    db: Database = DEFAULT,
    json: AsJson = False,
) -> None:
    """Write the log, archived events too, to one place that others read: a file, a folder, a table or a topic."""
    places = {"--out": out, "--parquet": parquet, "--iceberg-path": iceberg_path, "--kafka": kafka}
    named = [(option, place) for option, place in places.items() if place is not None]
    if len(named) != 1:
        raise typer.BadParameter(f"name exactly one of {', '.join(places)}", param_hint="truenorth export")
    [(option, place)] = named
    is_joined = identities is Choice.joined
    if is_joined and option != "--out":
        raise typer.BadParameter(
            f"{option} grows, and who is who may change: join with --out", param_hint="--identities"
        )
    with told(json), progress(json) as tell:
        from truenorth.printing import store as printing_store
        from truenorth.wiring import store as wiring_store

        to = wiring_store.Place(option, str(place), topic, after, pairs_of(setting, "--setting"), anew, is_joined)
        done = wiring_store.export(db, to, tell)
    printing_store.exported(done, str(place), as_json=json)


IMPORT_INTERRUPTED = "what was added stays: run it again, and the rest is added"


@app.command("import", epilog="Example: truenorth import tickets.csv --source desk --map case='Case ID'")
def import_(
    log: LogPath,
    source: Annotated[
        str | None, typer.Option("--source", metavar="NAME", help="Of events that name none; the file's name.")
    ] = None,
    maps: Maps = None,
    object_type: ObjectType = None,
    db: Database = DEFAULT,
    json: AsJson = False,
) -> None:
    """Add the events of a file to the store's log under their own ids; a second time changes nothing."""
    with told(json, IMPORT_INTERRUPTED), progress(json) as tell:
        from truenorth.printing import journey as printing
        from truenorth.printing import store as printing_store
        from truenorth.wiring import store as wiring_store

        fields = fields_of(maps)
        done, events = wiring_store.import_log(db, log, source, fields, object_type, tell)
    printing.notes(events, None, kept=True)
    printing_store.imported(done, as_json=json)


@keys.command("add", epilog="Example: truenorth keys add shop")
def add_key(source: Source, db: Database = DEFAULT, json: AsJson = False) -> None:
    """Make a write key. It is shown once: only its hash is kept."""
    with told(json):
        from truenorth.printing import store as printing_store
        from truenorth.wiring import store as wiring_store

        secret = wiring_store.add_key(db, source)
    printing_store.secret({"source": source, "secret": secret}, as_json=json)


@keys.command("list", epilog="Example: truenorth keys list --json")
def list_keys(db: Database = DEFAULT, json: AsJson = False) -> None:
    """All write keys, revoked ones too."""
    with told(json):
        from truenorth.printing import store as printing_store
        from truenorth.wiring import store as wiring_store

        with wiring_store.existing_store(db) as store:
            found = store.access.write_keys()
    printing_store.rows(found, as_json=json)


@keys.command("revoke", epilog="Example: truenorth keys revoke shop")
def revoke_keys(source: Source, but_newest: ButNewest = False, db: Database = DEFAULT, json: AsJson = False) -> None:
    """End all write keys of a source, from now on; exit status 1 if there is none."""
    with told(json):
        from truenorth.printing import store as printing_store
        from truenorth.wiring import store as wiring_store

        n = wiring_store.revoke_keys(db, source, but_newest=but_newest)
    printing_store.changed(n, _ended("write key", but_newest), as_json=json)
    raise typer.Exit(not n)


@tokens.command("add", epilog="Example: truenorth tokens add 'Ann, service desk' --role agent")
def add_token(
    label: Label,
    role: Annotated[RoleName, typer.Option("--role", help="What its bearer may do.")] = RoleName.viewer,
    db: Database = DEFAULT,
    json: AsJson = False,
) -> None:
    """Make a token. It is shown once: only its hash is kept."""
    with told(json):
        from truenorth.printing import store as printing_store
        from truenorth.wiring import store as wiring_store

        secret = wiring_store.add_token(db, label, role.value)
    printing_store.secret({"label": label, "role": role.value, "secret": secret}, as_json=json)


@tokens.command("list", epilog="Example: truenorth tokens list --json")
def list_tokens(db: Database = DEFAULT, json: AsJson = False) -> None:
    """All tokens, revoked ones too."""
    with told(json):
        from truenorth.printing import store as printing_store
        from truenorth.wiring import store as wiring_store

        with wiring_store.existing_store(db) as store:
            found = store.access.tokens()
    printing_store.rows(found, as_json=json)


@tokens.command("revoke", epilog="Example: truenorth tokens revoke 'Ann, service desk'")
def revoke_tokens(label: Label, but_newest: ButNewest = False, db: Database = DEFAULT, json: AsJson = False) -> None:
    """End all tokens of a label, from now on; exit status 1 if there is none."""
    with told(json):
        from truenorth.printing import store as printing_store
        from truenorth.wiring import store as wiring_store

        n = wiring_store.revoke_tokens(db, label, but_newest=but_newest)
    printing_store.changed(n, _ended("token", but_newest), as_json=json)
    raise typer.Exit(not n)


@webhooks.command("add", epilog="Example: truenorth webhooks add https://crm.example/hook --kind broken --kind failed")
def add_webhook(
    url: Annotated[str, typer.Argument(metavar="URL", help="Where signals are sent.")],
    kinds: Annotated[
        list[str] | None, typer.Option("--kind", metavar="KIND", help="Only signals of this kind; may be repeated.")
    ] = None,
    db: Database = DEFAULT,
    json: AsJson = False,
) -> None:
    """Tell a receiver of signals from now on; prints the secret by which it knows them to be ours."""
    with told(json):
        from truenorth.printing import store as printing_store
        from truenorth.wiring import store as wiring_store

        hook = wiring_store.add_webhook(db, url, kinds or [])
    printing_store.secret({"number": hook.number, "url": hook.url, "secret": hook.secret}, as_json=json)


@webhooks.command("list", epilog="Example: truenorth webhooks list")
def list_webhooks(db: Database = DEFAULT, json: AsJson = False) -> None:
    """All webhooks, without their secrets."""
    with told(json):
        from truenorth.printing import store as printing_store
        from truenorth.wiring import store as wiring_store

        with wiring_store.existing_store(db) as store:
            found, waiting = store.outbox.webhooks(), store.outbox.waiting()
    printing_store.webhooks(found, waiting, as_json=json)


@webhooks.command("pause", epilog="Example: truenorth webhooks pause 3")
def pause_webhook(number: Number, db: Database = DEFAULT, json: AsJson = False) -> None:
    """Send a receiver nothing for now. What waits goes on waiting; signals given meanwhile are not for it."""
    with told(json):
        from truenorth.printing import store as printing_store
        from truenorth.wiring import store as wiring_store

        n = wiring_store.set_webhook(db, number, "paused")
    printing_store.changed(n, "webhook", as_json=json)
    raise typer.Exit(not n)


@webhooks.command("resume", epilog="Example: truenorth webhooks resume 3")
def resume_webhook(number: Number, db: Database = DEFAULT, json: AsJson = False) -> None:
    """Send to a paused receiver again, beginning with what waits."""
    with told(json):
        from truenorth.printing import store as printing_store
        from truenorth.wiring import store as wiring_store

        n = wiring_store.set_webhook(db, number, "active")
    printing_store.changed(n, "webhook", as_json=json)
    raise typer.Exit(not n)


@webhooks.command("dead", epilog="Example: truenorth webhooks dead --webhook 3 --json")
def dead_letters(webhook: OfWebhook = None, db: Database = DEFAULT, json: AsJson = False) -> None:
    """Signals that could not be delivered and are not tried any more."""
    with told(json):
        from truenorth.printing import store as printing_store
        from truenorth.wiring import store as wiring_store

        with wiring_store.existing_store(db) as store:
            found = store.outbox.dead_letters(webhook=webhook)
    printing_store.rows(found, as_json=json)


@webhooks.command("retry", epilog="Example: truenorth webhooks retry --webhook 3")
def retry_dead(
    webhook: OfWebhook = None,
    signal: Annotated[int | None, typer.Option("--signal", metavar="N", help="Only this signal.")] = None,
    db: Database = DEFAULT,
    json: AsJson = False,
) -> None:
    """Try dead letters again, from their first attempt on."""
    with told(json):
        from truenorth.printing import store as printing_store
        from truenorth.wiring import store as wiring_store

        n = wiring_store.retry_dead(db, webhook, signal)
    printing_store.changed(n, "dead letter", as_json=json)


def _asking(yes: bool, json: bool) -> Callable[[str], None]:
    """What asks whether somebody is sure, and ends the command where they are not; with ``yes`` it asks nothing."""
    if json and not yes:
        raise typer.BadParameter("nobody can be asked with --json", param_hint="--yes")

    def sure(question: str) -> None:
        if not yes:
            typer.confirm(f"{question} It cannot be undone.", abort=True, err=True)

    return sure


def _cut_us(before: str | None, older_than: str | None) -> int:
    """The instant that one of two options says."""
    from truenorth.spec.durations import duration_of_option
    from truenorth.wiring import store as wiring_store

    if (before is None) == (older_than is None):
        raise typer.BadParameter("give one of the two", param_hint="--before, --older-than")
    if before is not None:
        return _instant_us(before)
    with asked():
        return wiring_store.now_us() - duration_of_option("--older-than", older_than or "")


def _ended(what: str, but_newest: bool) -> str:
    return f"valid {what} older than the newest" if but_newest else f"valid {what}"


app.add_typer(keys, name="keys")
app.add_typer(tokens, name="tokens")
app.add_typer(webhooks, name="webhooks")


def _instant_us(text: str) -> int:
    from truenorth.spec.instants import microseconds, parse_instant

    try:
        return microseconds(parse_instant(text))
    except ValueError as error:
        raise typer.BadParameter(f"{text!r}: {error}", param_hint="--before") from None
