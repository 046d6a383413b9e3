"""Commands about a store put together: opened by its URL, with the clock, the user's name and randomness."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import time_ns
from typing import Any, NamedTuple

from truenorth.logs import Log, read_log
from truenorth.logs.content import has_name
from truenorth.logs.log import Progress
from truenorth.server import same_person
from truenorth.server.doctor import Finding
from truenorth.server.doctor import examine as examine_store
from truenorth.server.exports.file import export_file
from truenorth.server.exports.folder import export_folder
from truenorth.server.exports.iceberg import export_iceberg
from truenorth.server.exports.kafka import export_kafka
from truenorth.server.exports.pages import Exported
from truenorth.server.importing import Imported, import_events
from truenorth.server.same_person import Joined
from truenorth.server.signals_of import KINDS
from truenorth.server.targets import TargetRules, checked_url
from truenorth.server.webhook_message import new_secret
from truenorth.spec.problems import Problem, TruenorthError, nearest
from truenorth.store.archive import Archived
from truenorth.store.database import Database
from truenorth.store.forget import Forgotten
from truenorth.store.opening import Store, open_store
from truenorth.store.people import Receipt
from truenorth.store.rows import Webhook, WebhookState


def now_us() -> int:
    """The clock, in microseconds since 1970 UTC."""
    return time_ns() // 1000


def user_name() -> str:
    """Who runs this command, for the audit."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as containers have them
        return f"user {os.getuid()}"


@contextmanager
def existing_store(url: str) -> Iterator[Store]:
    """A store that is there already: a mistake in a file's name shall not make an empty one."""
    database = Database(url)
    path = database.path
    database.close()
    if path is not None and not Path(path).exists():
        hint = "name it with --db; 'truenorth serve', 'import' and 'keys add' make a new one"
        raise TruenorthError([Problem(path=path, expected="the file of a store", found="none", hint=hint)])
    with open_store(url) as store:
        yield store


def examine(url: str, tell: Progress) -> Sequence[Finding]:
    """What the doctor says."""
    return examine_store(url, now_us, tell)


def archive(url: str, before_us: int, folder: Path, tell: Progress) -> Archived:
    """Move events that were received before an instant to files."""
    tell("archiving", 0.0)
    with existing_store(url) as store:
        archived = store.archive.move(before_us, folder, lambda n: tell(f"{n:,} events archived", 0.0))
        store.audit.note(user_name(), "archived events", about=f"{archived.n_events}", now_us=now_us())
    return archived


def forget(url: str, before_us: int, tell: Progress) -> Forgotten:
    """End what arrived, was closed or was told before an instant."""
    tell("forgetting", 0.0)
    with existing_store(url) as store:
        forgotten = store.retention.forget(before_us)
        store.audit.note(user_name(), "forgot what was too old", about=f"{forgotten.n_events} events", now_us=now_us())
    return forgotten


def ids_of_person(url: str, ids: Sequence[str], tell: Progress) -> Sequence[str]:
    """All ids of the person of some ids."""
    tell("looking for other ids", 0.0)
    with existing_store(url) as store:
        return same_person.ids_of_person(store.events, ids)


def erase(url: str, ids: Sequence[str], by: str | None, tell: Progress) -> Receipt:
    """Remove everything about a person."""
    tell("erasing", 0.0)
    with existing_store(url) as store:
        return store.people.erase(ids, asked_by=by or user_name(), now_us=now_us())


class Place(NamedTuple):
    """Where a log is exported to: the option that names it, its name, and what else was said."""

    option: str
    name: str
    topic: str
    after: int
    settings: Mapping[str, str]
    is_anew: bool
    is_joined: bool
    """Whether customers are called by the person that they are."""


def export(url: str, to: Place, tell: Progress) -> Exported:
    """Write the log to a place; how many events, and up to which position."""
    with existing_store(url) as store:
        log, folder, n_erasures = store.events, Path(to.name), store.results.n_erasures()
        match to.option:
            case "--parquet":
                done = export_folder(log, folder, n_erasures, anew=to.is_anew, tell=tell)
            case "--iceberg-path":
                done = export_iceberg(log, folder, n_erasures, anew=to.is_anew, tell=tell)
            case "--kafka":
                done = export_kafka(log, to.name, to.topic, after=to.after, settings=to.settings, tell=tell)
            case _:
                done = export_file(Joined(log) if to.is_joined else log, folder, tell)
        store.audit.note(user_name(), "exported the log", about=folder.name, now_us=now_us())
    return done


def import_log(
    url: str,
    path: Path,
    source: str | None,
    fields: Mapping[str, str],
    object_type: str | None,
    tell: Progress,
) -> tuple[Imported, Log]:
    """Add a file's events to the log of a store; TruenorthError where nothing tells whose they are."""
    if source is None and not has_name(path):
        found = "none, and a pipe has no name"
        hint = "name it, and another one for other events: rows without an id are known by source and number"
        raise TruenorthError([Problem(path="--source", expected="a source", found=found, hint=hint)])
    log = read_log(path, fields=fields, object_type=object_type, on_progress=tell, as_stored=True)
    with open_store(url) as store:
        return import_events(log, store.events, source or path.name.partition(".")[0], now_us(), tell), log


def add_key(url: str, source: str) -> str:
    """Make a write key; its secret."""
    with open_store(url) as store:
        secret = store.access.add_write_key(source, now_us=now_us())
        store.audit.note(user_name(), "added a write key", about=source, now_us=now_us())
    return secret


def revoke_keys(url: str, source: str, *, but_newest: bool) -> int:
    """End the write keys of a source, or all but the newest; how many."""
    with existing_store(url) as store:
        n = store.access.revoke_write_keys(source, now_us=now_us(), but_newest=but_newest)
        store.audit.note(user_name(), f"revoked {n} write keys", about=source, now_us=now_us())
    return n


def add_token(url: str, label: str, role: Any) -> str:
    """Make a token; its secret."""
    with open_store(url) as store:
        secret = store.access.add_token(label, role, now_us=now_us())
        store.audit.note(user_name(), f"added a token of role {role}", about=label, now_us=now_us())
    return secret


def revoke_tokens(url: str, label: str, *, but_newest: bool) -> int:
    """End the tokens of a label, or all but the newest; how many."""
    with existing_store(url) as store:
        n = store.access.revoke_tokens(label, now_us=now_us(), but_newest=but_newest)
        store.audit.note(user_name(), f"revoked {n} tokens", about=label, now_us=now_us())
    return n


def add_webhook(url: str, target: str, kinds: Sequence[str]) -> Webhook:
    """Register a webhook with a secret of its own."""
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown:
        found, expected = ", ".join(unknown), f"kinds of signals: {', '.join(KINDS)}"
        raise TruenorthError([Problem(path="--kind", expected=expected, found=found, hint=nearest(unknown[0], KINDS))])
    checked = checked_url(target, TargetRules())
    with open_store(url) as store:
        hook = store.outbox.add_webhook(str(checked), new_secret(os.urandom), kinds=kinds, now_us=now_us())
        store.audit.note(user_name(), f"added webhook {hook.number}", about=hook.url, now_us=now_us())
    return hook


def set_webhook(url: str, number: int, state: WebhookState) -> int:
    """Pause a webhook or take it up again; how many there are of this number."""
    with existing_store(url) as store:
        is_there = store.outbox.set_webhook(number, state)
        if is_there:
            store.audit.note(user_name(), f"set webhook {number} to {state}", now_us=now_us())
    return int(is_there)


def retry_dead(url: str, webhook: int | None, signal: int | None) -> int:
    """Try dead letters again; how many."""
    with existing_store(url) as store:
        n = store.outbox.retry_dead(now_us(), webhook=webhook, signal=signal)
        store.audit.note(user_name(), f"retried {n} dead letters", now_us=now_us())
    return n
