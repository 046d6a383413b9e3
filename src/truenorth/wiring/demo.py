"""The demo put together: a store with the history of the simulated company, and the company living on into it.

The history is prepared once and kept; each demo works on a copy of it, which goes when the demo ends.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from datetime import UTC, date, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from socket import socket
from types import FrameType

import msgspec
import numpy as np
import polars as pl

from truenorth.engine.replay import Progress
from truenorth.logs.log import Log
from truenorth.server.acting.acting import ID_BYTES
from truenorth.server.acting.proposing import PAGE_SIGNALS, Proposer
from truenorth.server.acting.staffing import keep_people
from truenorth.server.addresses import listening
from truenorth.server.api.bounds import Bounds
from truenorth.server.importing import import_events
from truenorth.server.runner import PAGE_EVENTS, Runner, now_us
from truenorth.server.service import Settings, run_service
from truenorth.simulate import Company, World
from truenorth.simulate.unfolding import Unfolding
from truenorth.spec.instants import microseconds
from truenorth.spec.model import CANONICAL_TYPES
from truenorth.spec.problems import TruenorthError
from truenorth.store.opening import Store, open_store
from truenorth.store.steering import SteeringFile, SteeringKind
from truenorth.wiring.action import acting_of, read_people
from truenorth.wiring.console import has_console
from truenorth.wiring.demo_life import Colleagues, Life, done_in, live_again
from truenorth.wiring.demo_models import Lessons, Model, learner
from truenorth.wiring.learning import can_learn
from truenorth.wiring.service import (
    Pace,
    Service,
    foreseer_command,
    journey_texts,
    load_ahead,
    open_service,
    runner_command,
)

STEP_US = 2 * 3_600_000_000
"""Of the prepared past, while people act in it: so often they look at what has come."""
STORE, PREPARED, UNFINISHED = "company.db", "prepared.json", ".truenorth-unfinished"
OWN = "truenorth-demo-"
"""Temporary folders of demos begin so."""
FORM = 8
"""Of what is prepared: what an older program prepared is made anew."""
STEERED = "help"
"""The journey that the files of KPIs and initiatives of the company are about."""
STEERING_KINDS: tuple[SteeringKind, ...] = ("kpis", "initiatives")
LATENESS_US = 120_000_000
"""Of the company's time: two seconds at 60 times its speed."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The company of the demo, and how much of its past there is.

    ``told_from`` to ``live_from`` proposals are made and taken; before that nobody acts. All instants are UTC.
    """

    n_customers: int = 1_200
    start: date = date(2025, 12, 1)
    told_from: datetime = datetime(2026, 3, 24, tzinfo=UTC)
    live_from: datetime = datetime(2026, 4, 7, 8, tzinfo=UTC)
    seed: int = 1

    def company(self) -> Unfolding:
        """The company on its first morning."""
        days = (self.live_from.date() - self.start).days + 1
        return Unfolding(World(Company(n_customers=self.n_customers, days=days, start=self.start), self.seed))


class Prepared(msgspec.Struct, frozen=True):
    """What was prepared, kept beside the store; ``digest`` of all that it was made from."""

    digest: str
    n_events: int
    models: tuple[str, ...]
    """Journeys whose model is live."""


_PREPARED = msgspec.json.Decoder(Prepared)


def digest_of(plan: Plan, folder: Path) -> str:
    """Of a plan and the files of a company: what was prepared from others is made anew."""
    files = sorted([*folder.glob("*.yaml"), *(folder / "steering").glob("*.yaml")])
    parts = [msgspec.json.encode((FORM, plan)), *(path.read_bytes() for path in files)]
    return sha256(b"\0".join(parts)).hexdigest()[:16]


def prepared(folder: Path, company: Path, plan: Plan, tell: Progress) -> Prepared:
    """What a folder holds, made first where it is not there; ``company`` is the folder of its journey files.

    One process at a time prepares in a folder; another one waits, and finds what was made.
    """
    digest = digest_of(plan, company)
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder), _unfinished(folder) as place:
        found = _found(folder)
        if found is not None and found.digest == digest:
            return found
        (folder / PREPARED).unlink(missing_ok=True)
        made = Prepared(digest, *_made(place / STORE, company, plan, tell))
        _kept_by_disk(place / STORE)
        (place / STORE).replace(folder / STORE)
        (folder / PREPARED).write_bytes(msgspec.json.format(msgspec.json.encode(made)) + b"\n")
        return made


def _found(folder: Path) -> Prepared | None:
    try:
        found = _PREPARED.decode((folder / PREPARED).read_bytes())
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    return found if (folder / STORE).exists() else None


@contextmanager
def _locked(folder: Path, *, waits: bool = True) -> Iterator[None]:
    """Have the folder's lock, which ends with the block, and with the process however it ends.

    Without ``waits``, `BlockingIOError` where another process has it.
    """
    lock = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX if waits else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(lock)


@contextmanager
def _unfinished(folder: Path) -> Iterator[Path]:
    """An empty folder to prepare in, for whoever has the lock; what somebody who was killed has left there goes."""
    place = folder / UNFINISHED
    try:
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _kept_by_disk(path: Path) -> None:
    """Wait until a file that was written in haste outlives the machine's sudden end."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _made(path: Path, company: Path, plan: Plan, tell: Progress) -> tuple[int, tuple[str, ...]]:
    """Make the store; the number of its events, and the journeys whose model is live.

    Models are learnt from the time before proposals were made, while it is judged and people work through the days
    after it: where the libraries for it are there.
    """
    url, live_us = f"sqlite:///{path}", microseconds(plan.live_from)
    with learner() if can_learn() else nullcontext() as beside, open_store(url, is_durable=False) as store:
        history = _History(store, plan)
        history.write(company, tell)
        names = tuple(text.name for text in store.journeys.live())
        lessons = Lessons(url, store.events.last_position(), live_us, str(path.parent), names)
        learnt = beside.begin(lessons) if beside else lambda _: ()
        history.work_through(tell)
        if beside:
            load_ahead()  # for the service that comes next, while the models are not learnt yet
        models = _keep(store, learnt(tell), live_us)
        return store.events.last_position(), models


class _History:
    """The past of the company, written into an empty store as a service would have written it."""

    def __init__(self, store: Store, plan: Plan) -> None:
        self._store, self._plan = store, plan
        self._company = plan.company()
        self._now_us = microseconds(plan.told_from)

    def write(self, folder: Path, tell: Progress) -> None:
        """Journeys, people, and the events of the past in which nobody acts."""
        tell("letting a company live", 0.0)
        past = self._company.until(self._now_us)
        for name, text in journey_texts(folder):
            self._store.journeys.publish(name, text, now_us=self._company.start_us)
        keep_people(self._store, read_people(folder / "steering" / "people.yaml"), self._now_us)
        for kind in STEERING_KINDS:
            text = (folder / "steering" / f"{kind}.yaml").read_text()
            self._store.steering.put(
                SteeringFile(journey=STEERED, kind=kind, text=text, by="demo", at_us=self._company.start_us)
            )
        tell("writing its history", 0.0)
        self._append(past)

    def work_through(self, tell: Progress) -> None:
        """Judge what was written, then live through the days in which proposals are made and taken, step by step."""
        tell("judging its history", 0.0)
        runner = Runner(self._store, clock=lambda: self._now_us, lateness_us=LATENESS_US)
        _while_full(runner.step, PAGE_EVENTS)
        chance, outcomes_of = np.random.default_rng(self._plan.seed), cache(self._store.results.outcomes)
        acting = acting_of(
            self._store,
            lambda: self._now_us,
            new_id=lambda: chance.bytes(ID_BYTES).hex(),
            outcomes_of=outcomes_of,
        )
        proposer, colleagues = Proposer(self._store, acting), Colleagues(self._store, acting, self._company)
        first_us, last_us = self._now_us, microseconds(self._plan.live_from)
        while self._now_us < last_us:
            tell("working through its last days", (self._now_us - first_us) / (last_us - first_us))
            self._now_us = min(self._now_us + STEP_US, last_us)
            self._append(self._company.until(self._now_us))
            _while_full(runner.step, PAGE_EVENTS)
            outcomes_of.cache_clear()
            _while_full(proposer.step, PAGE_SIGNALS)
            colleagues.work(self._now_us)
        runner.finish()
        self._store.database.checkpoint()

    def _append(self, events: pl.DataFrame) -> None:
        import_events(Log(as_sent(events)), self._store.events, "company", self._now_us)


def as_sent(events: pl.DataFrame) -> pl.DataFrame:
    """Events with what is no field of theirs below ``properties``, where clients of Segment have it.

    >>> frame = pl.DataFrame({"id": ["1"], "type": ["Called"], "plan": ["basic"], "score": [None]})
    >>> as_sent(frame).to_dicts()
    [{'id': '1', 'type': 'Called', 'properties': '{"properties":{"plan":"basic"}}'}]
    """
    own = [name for name in events.columns if name in CANONICAL_TYPES]
    rest = events.drop(own).iter_rows(named=True)
    said = [{name: value for name, value in row.items() if value is not None} for row in rest]
    texts = [msgspec.json.encode({"properties": one}).decode() for one in said]
    return events.select(own).with_columns(pl.Series("properties", texts, dtype=pl.String))


def _while_full(step: Callable[[], int], n_full: int) -> None:
    """Step until one takes less than a full page: then there is no more."""
    while step() == n_full:
        pass


def _keep(store: Store, models: Sequence[Model], live_us: int) -> tuple[str, ...]:
    """Keep models, those live that are better than guessing; the journeys of these."""
    for model in models:
        store.models.add(model.row, model.blob)
    better = [model.row for model in models if model.row.beats]
    for row in better:
        store.models.promote(row.journey, row.version, now_us=live_us)
    return tuple(row.journey for row in better)


@contextmanager
def kept(folder: Path | None) -> Iterator[Path]:
    """The folder that keeps what is prepared; without one, a folder that goes in the end."""
    if folder is not None:
        yield folder
        return
    with _own_folder() as own:
        yield own / "prepared"


@contextmanager
def copied(folder: Path) -> Iterator[Path]:
    """A copy of what was prepared, in a folder of its own that goes in the end."""
    with _own_folder() as own:
        yield Path(shutil.copy(folder / STORE, own))


@contextmanager
def _own_folder() -> Iterator[Path]:
    """A temporary folder that goes in the end; those go first that demos which were killed have left."""
    with _interrupted_after():  # the first who asks for the place of temporary folders tries it with a file
        place = Path(tempfile.gettempdir())
    for left in place.glob(f"{OWN}*"):
        with suppress(OSError), _locked(left, waits=False):  # it is another user's, or a demo that runs has it
            if any(left.iterdir()):  # an empty one may have been made this instant
                shutil.rmtree(left)
    with ExitStack() as until_the_end:
        with _interrupted_after():
            own = Path(until_the_end.enter_context(tempfile.TemporaryDirectory(prefix=OWN)))
        until_the_end.enter_context(_locked(own))
        yield own


def run(folder: Path, plan: Plan, *, speed: float, host: str, port: int, on_started: Callable[[str], None]) -> None:
    """Serve what was prepared and let the company live on ``speed`` times as fast, until the process is told to stop.

    ``on_started`` is told the address. Nothing is left running, and no file but what was prepared.
    """
    with listening_near(host, port) as sockets, copied(folder) as path:
        url = f"sqlite:///{path}"
        os.environ["TRUENORTH_DB"] = url  # for the runner and the foreseer
        pace = pace_from(microseconds(plan.live_from), speed, now_us())
        settings = Settings(
            is_open=True,
            runner_command=runner_command(pace), foreseer_command=foreseer_command(pace),
            bounds=Bounds(watermark_age_seconds=speed * Bounds().watermark_age_seconds),
        )  # fmt: skip
        with open_service(url, settings, clock=pace.clock, with_console=has_console(), with_tour=True) as service:
            _serve(service, settings, sockets, pace, plan, on_started)


def _serve(
    service: Service,
    settings: Settings,
    sockets: list[socket],
    pace: Pace,
    plan: Plan,
    on_started: Callable[[str], None],
) -> None:
    context = service.app.state.context

    def company() -> Unfolding:
        lived = plan.company()
        live_again(lived, done_in(context.store), microseconds(plan.live_from))
        return lived

    life = Life(context.store, context.acting, company, pace.clock, service.write_key or "")

    def started(address: str) -> None:
        life.start(address)
        on_started(address)

    try:
        run_service(service.app, settings, sockets, started, life.end)
    finally:
        life.stop()


def pace_from(live_us: int, speed: float, at_us: int) -> Pace:
    """A clock that shows ``live_us`` at ``at_us`` and runs ``speed`` (above 1) times as fast.

    >>> pace_from(0, 60, 59_000_000).since_us
    60000000
    """
    return Pace(LATENESS_US, speed, at_us + round((at_us - live_us) / (speed - 1)))


@contextmanager
def listening_near(host: str, port: int) -> Iterator[list[socket]]:
    """Sockets that listen on a port, on another one where something listens there already."""
    with ExitStack() as opened:
        try:
            sockets = opened.enter_context(listening(host, port))
        except TruenorthError:
            sockets = opened.enter_context(listening(host, 0))
        yield sockets


@contextmanager
def _interrupted_after() -> Iterator[None]:
    """Hear SIGINT and SIGTERM only when the work is done, so that no file is left between its making and its end."""
    heard: list[int] = []
    with _heard_by(lambda number, _frame: heard.append(number)):
        yield
    for number in heard[:1]:
        signal.raise_signal(number)


@contextmanager
def interrupted_once() -> Iterator[None]:
    """Let SIGTERM end the demo as Ctrl-C does. Who asks again while it ends is not heard: all of it is to go."""
    is_ending = False

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        nonlocal is_ending
        if not is_ending:
            is_ending = True
            raise KeyboardInterrupt

    with _heard_by(interrupt):
        yield


@contextmanager
def _heard_by(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Let a handler hear SIGINT and SIGTERM, and who heard them before again in the end."""
    before = [(one, signal.signal(one, handler)) for one in (signal.SIGINT, signal.SIGTERM)]
    try:
        yield
    finally:
        for one, heard_before in before:
            signal.signal(one, heard_before)
