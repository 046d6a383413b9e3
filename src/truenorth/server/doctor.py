"""What is wrong with an installation, or soon will be, and what to do about it. It changes nothing."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from truenorth.engine import kernel
from truenorth.spec.counted import counted
from truenorth.spec.load import load_journey
from truenorth.spec.problems import TruenorthError
from truenorth.store.condition import Condition
from truenorth.store.database import Database
from truenorth.store.leadership import has_leader
from truenorth.store.migrate import revisions
from truenorth.store.opening import Store, open_store
from truenorth.store.ports import StoreFull

PYTHON = (3, 11)
CLOCK_DOUBT_US, CLOCK_WRONG_US = 2_000_000, 60_000_000
"""How far two clocks may differ."""
ROOM_DOUBT_BYTES, ROOM_WRONG_BYTES = 2 * 10**9, 200 * 10**6
"""Free space on a disk that is written to."""
N_RECENT = 10_000
"""The newest arrivals that are looked at."""
REFUSED_DOUBT = 0.05
"""The share of refused arrivals that is worth a look."""
BEHIND_DOUBT_EVENTS = 10_000
"""A runner that is so far behind the end of the log is late."""
OVERDUE_US = 15 * 60 * 1_000_000
"""A delivery that has been due for so long is not being sent."""
N_NAMED = 3
"""Of many things of a kind so many are named."""

State = Literal["ok", "doubtful", "wrong"]


class Finding(msgspec.Struct, frozen=True):
    """What one look has found. ``hint`` says what to do where it is not ok."""

    name: str
    state: State
    found: str
    hint: str = ""


class Patient(NamedTuple):
    """What is looked at."""

    store: Store
    clock: Callable[[], int]

    @property
    def condition(self) -> Condition:
        """Facts about its database."""
        return Condition(self.store.database)


def examine(
    url: str, clock: Callable[[], int], on_progress: Callable[[str, float], object] = lambda _stage, _share: None
) -> Sequence[Finding]:
    """Everything that there is to say about this machine and the store at a URL, in a fixed order.

    ``clock``: this machine's. A store whose tables are missing or older is not touched, and not looked at
    further.
    """
    found = [*_python(), *_packages(), *_kernel()]
    on_progress("database", 0.0)
    tables = _tables(url)
    found.append(tables)
    if tables.state != "ok":
        return found
    with open_store(url) as store:
        patient = Patient(store, clock)
        for at, (name, look) in enumerate(LOOKS):
            on_progress(name, (at + 1) / (len(LOOKS) + 1))
            found += _looked(name, look, patient)
    return found


def _looked(name: str, look: Callable[[Patient], Iterator[Finding]], patient: Patient) -> list[Finding]:
    try:
        return list(look(patient))
    except (StoreFull, TruenorthError, OSError) as error:
        return [Finding(name, "wrong", str(error))]


def _python() -> Iterator[Finding]:
    said = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < PYTHON:
        yield Finding("python", "wrong", said, f"install Python {PYTHON[0]}.{PYTHON[1]} or newer")
    else:
        yield Finding("python", "ok", said)


def _packages() -> Iterator[Finding]:
    versions, missing = {"truenorth": metadata.version("truenorth")}, []
    for requirement in metadata.requires("truenorth") or ():
        name, _, condition = requirement.partition(";")
        if condition and 'extra == "server"' not in condition:
            continue
        name = re.match(r"[\w.-]+", name)[0]  # type: ignore[index]  # a requirement begins with a name
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            if "sys_platform" not in condition:
                missing.append(name)
    if missing:
        yield Finding("packages", "wrong", f"without {', '.join(missing)}", "pip install 'truenorth[server]'")
    else:
        yield Finding("packages", "ok", ", ".join(f"{name} {version}" for name, version in versions.items()))


def _kernel() -> Iterator[Finding]:
    folder = Path(kernel.step.stats.cache_path)
    if any(folder.glob("kernel.step-*.nbi")):
        yield Finding("kernel", "ok", "compiled")
    else:
        hint = "nothing to do: the first replay or start compiles it, which takes some seconds"
        yield Finding("kernel", "doubtful", f"not compiled yet (looked in {folder})", hint)


def _tables(url: str) -> Finding:
    try:
        database = Database(url)
        if database.path is not None and not Path(database.path).exists():
            hint = "start 'truenorth serve' there, or name another one with --db"
            return Finding("database", "wrong", f"no file {database.path}", hint)
        try:
            found, expected = revisions(database)
        finally:
            database.close()
    except (StoreFull, TruenorthError) as error:
        return Finding("database", "wrong", str(error))
    if found == expected:
        return Finding("database", "ok", f"{database.name} answers; tables of revision {found}")
    if found is None:
        return Finding("database", "wrong", f"{database.name} has no tables", "'truenorth serve' makes them")
    hint = "back it up and start this version's 'truenorth serve', which migrates; or upgrade Truenorth"
    return Finding("database", "wrong", f"tables of revision {found}, not {expected}", hint)


def _durability(patient: Patient) -> Iterator[Finding]:
    unsafe = patient.condition.unsafe_settings()
    if unsafe:
        said = ", ".join(f"{name} is {value}" for name, value in unsafe.items())
        hint = "a power cut may lose acknowledged events: set it back, and use a local disk"
        yield Finding("durability", "wrong", said, hint)
    else:
        yield Finding("durability", "ok", "what is acknowledged survives a power cut")


def _room(patient: Patient) -> Iterator[Finding]:
    n_bytes = patient.condition.n_bytes()
    path = patient.store.database.path
    folders = {file.parent for file, _ in patient.condition.archive_files()}
    for folder in sorted({Path(path).resolve().parent, *folders} if path else folders):
        if not folder.exists():
            continue  # told by the archive's look
        free = shutil.disk_usage(folder).free
        wanted = max(ROOM_DOUBT_BYTES, n_bytes if path else 0)
        state: State = "wrong" if free < ROOM_WRONG_BYTES else "doubtful" if free < wanted else "ok"
        hint = "" if state == "ok" else f"make room: {_size(wanted)} let SQLite write its file anew after an erasure"
        yield Finding("disk", state, f"{_size(free)} free in {folder}; the database has {_size(n_bytes)}", hint)
    if not path:
        yield Finding("size", "ok", f"the database has {_size(n_bytes)}; watch the disk of its server")


def _clock(patient: Patient) -> Iterator[Finding]:
    before_us, theirs_us, after_us = patient.clock(), patient.condition.clock_us(), patient.clock()
    newest_us = patient.condition.recent(1).newest_us
    off_us = max(before_us - theirs_us, theirs_us - after_us, 0) if theirs_us is not None else 0
    ahead_us = max(0, newest_us - after_us) if newest_us is not None else 0
    worst_us = max(off_us, ahead_us)
    if worst_us < CLOCK_DOUBT_US:
        yield Finding("clock", "ok", "agrees with the store")
        return
    what = "the database's clock" if off_us >= ahead_us else "the arrival of the newest event"
    state: State = "wrong" if worst_us >= CLOCK_WRONG_US else "doubtful"
    found = f"{what} and this clock are {worst_us / 1e6:.0f} s apart"
    yield Finding("clock", state, found, "synchronise both machines by NTP: deadlines are judged by the clock")


def _journeys(patient: Patient) -> Iterator[Finding]:
    live = patient.store.journeys.live()
    for text in live:
        errors = load_journey(text.text, name=text.name).errors
        if errors:
            hint = f"'truenorth check' its file, and publish it anew; its runner stands still: {errors[0]}"
            found = f"{text.name}, version {text.version}: {len(errors)} errors"
            yield Finding("journeys", "wrong", found, hint)
            return
    if live:
        yield Finding("journeys", "ok", f"live: {', '.join(text.name for text in live)}")
    else:
        yield Finding("journeys", "doubtful", "none is live", "publish one: nothing is judged")


def _archive(patient: Patient) -> Iterator[Finding]:
    files = patient.condition.archive_files()
    bad = [path for path, n_bytes in files if not path.exists() or path.stat().st_size != n_bytes]
    if bad:
        named = ", ".join(map(str, bad[:N_NAMED])) + (" ..." if len(bad) > N_NAMED else "")
        hint = "restore them from the backup: nothing can be judged anew without them"
        yield Finding(
            "archive", "wrong", f"{len(bad)} of {counted(len(files), 'file')} missing or of another size: {named}", hint
        )
    else:
        yield Finding("archive", "ok", f"{counted(len(files), 'file')}, all there")


def _outbox(patient: Patient) -> Iterator[Finding]:
    outbox = patient.store.outbox
    hooks = outbox.webhooks()
    paused = [str(hook.number) for hook in hooks if hook.state == "paused"]
    waiting = outbox.waiting()
    active = {hook.number for hook in hooks if hook.state == "active"}
    late = [at for at, (_, since_us) in waiting.items() if at in active and since_us and _is_late(patient, since_us)]
    n_dead, n_waiting = outbox.n_dead(), sum(n for n, _ in waiting.values())
    if n_dead:
        hint = "see them with 'truenorth webhooks dead'; send them again with 'truenorth webhooks retry'"
        yield Finding("webhooks", "wrong", f"{n_dead:,} dead letters", hint)
    if late:
        hint = "is 'truenorth serve' running, and does it reach the internet?"
        yield Finding("webhooks", "wrong", f"nothing is sent to {', '.join(map(str, late))} though it is due", hint)
    if paused:
        hint = "take it up again with 'truenorth webhooks resume', once its receiver is back"
        yield Finding("webhooks", "doubtful", f"paused: {', '.join(paused)}", hint)
    if not (n_dead or late or paused):
        yield Finding(
            "webhooks", "ok", f"{counted(len(hooks), 'webhook')}, {counted(n_waiting, 'signal waits', 'signals wait')}"
        )


def _is_late(patient: Patient, since_us: int) -> bool:
    return patient.clock() - since_us > OVERDUE_US


def _quarantine(patient: Patient) -> Iterator[Finding]:
    n_events, n_refused, _ = patient.condition.recent(N_RECENT)
    found = f"{n_refused:,} refused beside the newest {counted(n_events, 'event')}"
    if n_refused > REFUSED_DOUBT * (n_events + n_refused):
        hint = "a client sends what cannot be read: the reasons are in the table 'refused'"
        yield Finding("quarantine", "doubtful", found, hint)
    else:
        yield Finding("quarantine", "ok", found)


def _runner(patient: Patient) -> Iterator[Finding]:
    live = [text.name for text in patient.store.journeys.live()]
    slowest = min((patient.store.results.progress(name).position for name in live), default=None)
    behind = 0 if slowest is None else patient.condition.n_after(slowest)
    is_led = has_leader(patient.store.database)
    found = f"{'a' if is_led else 'no'} runner leads; {counted(behind, 'event is', 'events are')} not judged yet"
    if not is_led and behind > 0:
        yield Finding("runner", "wrong", found, "start 'truenorth serve'")
    elif not is_led or behind > BEHIND_DOUBT_EVENTS:
        hint = "look again: the number should fall" if is_led else "start 'truenorth serve'"
        yield Finding("runner", "doubtful", found, hint)
    else:
        yield Finding("runner", "ok", found)


def _keys(patient: Patient) -> Iterator[Finding]:
    valid = {key.source for key in patient.store.access.write_keys() if key.revoked_us is None}
    if valid:
        yield Finding("keys", "ok", f"sources that may send: {', '.join(sorted(valid))}")
    else:
        yield Finding("keys", "doubtful", "no write key is valid", "nobody can send: 'truenorth keys add SOURCE'")


def _size(n_bytes: int) -> str:
    return f"{n_bytes / 1e9:,.1f} GB" if n_bytes >= 10**9 else f"{n_bytes / 1e6:,.1f} MB"


LOOKS: tuple[tuple[str, Callable[[Patient], Iterator[Finding]]], ...] = (
    ("durability", _durability),
    ("disk", _room),
    ("clock", _clock),
    ("journeys", _journeys),
    ("archive", _archive),
    ("webhooks", _outbox),
    ("quarantine", _quarantine),
    ("runner", _runner),
    ("keys", _keys),
)
"""What is looked at in a store, in this order."""
