"""The composition root: paths and settings in, the parts put together, values out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from datetime import UTC, date, datetime
from pathlib import Path
from time import perf_counter, sleep
from typing import TYPE_CHECKING

import msgspec
import polars as pl
from numba.core import event

from truenorth.engine.compile import needed_columns
from truenorth.engine.replay import Replay
from truenorth.engine.replay import replay as judge
from truenorth.logs import Log, read_log, schema_kinds
from truenorth.logs.log import Progress
from truenorth.spec.document import MAX_BYTES
from truenorth.spec.lint import check_journey, in_place
from truenorth.spec.load import Loaded, parse_journey
from truenorth.spec.model import Journey
from truenorth.spec.problems import InvalidJourney, Problem, UnreadableLog
from truenorth.wiring.threads import n_threads

if TYPE_CHECKING:
    from truenorth.simulate.company import Company
    from truenorth.simulate.produce import Order, Produced

COMPILING = "compiling the kernel (once after installation; some seconds)"
"""The stage that only a first run has."""


FEW_VALUES = 1_000
"""A text column with more distinct values than this is not compared with the texts of conditions."""


def load_journey(path: str | Path) -> Journey:
    """The journey of a file; InvalidJourney with all errors, each with its line.

    >>> load_journey("examples/support/journey.yaml").name
    'support'
    """
    source = read_journey_file(path)
    try:
        return parse_journey(source)
    except InvalidJourney as error:
        raise InvalidJourney(error.problems, source=str(path)) from None


@contextmanager
def naming(journey: Journey | str | Path) -> Iterator[Journey]:
    """A journey, or that of a file; problems that a log shows of it then name the file and the line."""
    if isinstance(journey, Journey):
        yield journey
        return
    loaded = load_journey(journey)
    try:
        yield loaded
    except InvalidJourney as error:
        raise InvalidJourney(in_place(read_journey_file(journey), error.problems), source=str(journey)) from None


def read_journey_file(path: str | Path) -> bytes:
    """The bytes of a journey file, of a too large one only a few more than are allowed."""
    try:
        with Path(path).open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        reason = error.strerror or str(error)
        hint = "name a journey file; 'truenorth discover LOG' drafts one"
        raise InvalidJourney([Problem(path=str(path), expected="a journey file", found=reason, hint=hint)]) from None


def check(
    path: str | Path,
    *,
    log: str | Path | None = None,
    fields: Mapping[str, str] | None = None,
    object_type: str | None = None,
    today: date | None = None,
    on_progress: Progress | None = None,
) -> Loaded:
    """Everything that is wrong or doubtful about a journey file, alone or against a log.

    ``today`` tells which reviews of decisions are old; today's date by default.

    >>> check("examples/support/journey.yaml", log="examples/support/log.csv").errors
    ()
    """
    source = read_journey_file(path)
    today = today or datetime.now(UTC).date()  # noqa: TID251 (the rim: the language itself takes it as an argument)
    alone = check_journey(source, today=today, name=str(path))
    if log is None or alone.journey is None:
        return alone
    try:
        events = open_log(
            log, alone.journey, fields=fields, object_type=object_type, all_columns=True, on_progress=on_progress
        )
    except UnreadableLog as error:
        return msgspec.structs.replace(alone, journey=None, problems=(*alone.problems, *error.problems))
    return check_journey(
        source, today=today, name=str(path), columns=schema_kinds(events), values=few_values(events.events)
    )


def few_values(events: pl.DataFrame) -> dict[str, frozenset[str]]:
    """The distinct values of the text columns that have few of them."""
    texts = [column for column in events.iter_columns() if column.dtype == pl.String]
    distinct = {column.name: column.unique().drop_nulls() for column in texts if column.n_unique() <= FEW_VALUES}
    return {name: frozenset(values.to_list()) for name, values in distinct.items()}


def replay(
    journey: Journey | str | Path,
    log: Log | pl.DataFrame | str | Path,
    *,
    now: datetime | None = None,
    fields: Mapping[str, str] | None = None,
    object_type: str | None = None,
    on_progress: Progress | None = None,
) -> Replay:
    """Judge every case of a log by a journey.

    ``journey`` and ``log`` may be paths; ``fields`` maps canonical fields to columns and goes before the journey's own.
    ``now`` shows the log as of that instant. InvalidJourney or UnreadableLog where they cannot be used.

    >>> import truenorth as tn
    >>> replayed = tn.replay("examples/support/journey.yaml", "examples/support/log.csv")
    >>> sorted(replayed.summary["outcome"])
    ['abandoned', 'achieved', 'failed', 'open']
    """
    if isinstance(log, str | Path):
        return replay_file(journey, log, now=now, fields=fields, object_type=object_type, on_progress=on_progress)[0]
    with naming(journey) as loaded:
        return _judge(loaded, Log(log) if isinstance(log, pl.DataFrame) else log, now, on_progress, perf_counter())


def replay_file(
    journey: Journey | str | Path,
    path: str | Path,
    *,
    now: datetime | None = None,
    fields: Mapping[str, str] | None = None,
    object_type: str | None = None,
    all_columns: bool = False,
    on_progress: Progress | None = None,
) -> tuple[Replay, Log]:
    """Read a log and judge it; ``seconds`` of the summary counts both."""
    started_s = perf_counter()
    with naming(journey) as loaded:
        log = open_log(
            path, loaded, fields=fields, object_type=object_type, all_columns=all_columns, on_progress=on_progress
        )
        return _judge(loaded, log, now, on_progress, started_s), log


def _judge(journey: Journey, log: Log, now: datetime | None, on_progress: Progress | None, started_s: float) -> Replay:
    with _saying_when_it_compiles(on_progress):
        replayed = judge(
            journey,
            log.events,
            now=now,
            n_quarantined=log.quarantine.height,
            n_duplicates=log.n_duplicates,
            n_threads=n_threads(),
            on_progress=on_progress,
        )
    replayed.summary["seconds"] = round(perf_counter() - started_s, 3)
    return replayed


class _CompilationListener(event.Listener):
    """Tells that code is being compiled: nobody should wonder why the first run takes seconds."""

    def __init__(self, tell: Progress) -> None:
        self.tell = tell

    def on_start(self, event: event.Event) -> None:  # noqa: ARG002
        self.tell(COMPILING, 0.0)

    def on_end(self, event: event.Event) -> None:
        pass


@contextmanager
def _saying_when_it_compiles(tell: Progress | None) -> Iterator[None]:
    with event.install_listener("numba:compile", _CompilationListener(tell)) if tell else nullcontext():
        yield


def open_log(
    path: str | Path,
    journey: Journey,
    *,
    fields: Mapping[str, str] | None = None,
    object_type: str | None = None,
    all_columns: bool = False,
    on_progress: Progress | None = None,
) -> Log:
    """A log as a journey wants it: by its mapping, and only the columns that it looks at unless all are asked for."""
    mapping = {**journey.fields, **(fields or {})}
    columns = None if all_columns else needed_columns(journey)
    return read_log(path, fields=mapping, columns=columns, object_type=object_type, on_progress=on_progress)


def is_in_the_future(watermark: datetime | None) -> bool:
    """Whether a replay shows a log as of an instant that this machine's clock has not reached."""
    return watermark is not None and watermark > SystemClock().now()


class SystemClock:
    """The clock of this machine."""

    def now(self) -> datetime:
        """The present instant."""
        return datetime.now(UTC)  # noqa: TID251 (the rim: whoever plays a stream takes a clock as an argument)

    def sleep(self, seconds: float) -> None:
        """Wait."""
        sleep(seconds)


def simulate(company: Company, seed: int, order: Order, *, on_progress: Progress | None = None) -> Produced:
    """Let a made-up company live, and write or stream what arrives of it as ordered."""
    from truenorth.simulate.produce import produce  # noqa: PLC0415 (no other command needs a company)
    from truenorth.simulate.truth import tell_truth  # noqa: PLC0415
    from truenorth.simulate.world import World  # noqa: PLC0415

    started_s = perf_counter()
    with _saying_when_it_compiles(on_progress):
        produced = produce(
            World(company, seed),
            order,
            seed,
            truth_of=lambda lived: tell_truth(lived, company.days),
            clock=SystemClock(),
            on_progress=on_progress or (lambda _stage, _share: None),
        )
    return msgspec.structs.replace(produced, seconds=round(perf_counter() - started_s, 3))
