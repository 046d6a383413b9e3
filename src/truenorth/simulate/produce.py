"""From a simulated company to what others get of it: a file, a live stream, the truth to compare with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

import msgspec
import polars as pl

from truenorth.logs.log import Progress
from truenorth.logs.whole import whole_file
from truenorth.simulate.faults import Disturbed, Faults, apply, counted
from truenorth.simulate.journeys import JOURNEYS
from truenorth.simulate.outputs import check_folder, check_target, write_parts
from truenorth.simulate.stream import SLOWEST, Clock, Streamed, check_receiver, stream
from truenorth.spec.problems import Problem, TruenorthError, nearest

ROWS_PER_PART = 50_000
"""Events that are made at once. Polars takes some dozens of parts ahead of what it has written."""
JOURNEY_NAMES = tuple(journey.name for journey in JOURNEYS)


class Lives(Protocol):
    """What a simulated company lived through."""

    @property
    def n_events(self) -> int:
        """How many events there are."""
        ...

    def events(self) -> pl.DataFrame:
        """All events in the order of time."""
        ...

    def parts(self, rows_per_part: int) -> Iterator[pl.DataFrame]:
        """The same, part by part."""
        ...


L = TypeVar("L", bound=Lives)
L_co = TypeVar("L_co", bound=Lives, covariant=True)


class Living(Protocol[L_co]):
    """A simulated company."""

    def run(self, on_progress: Progress | None = None) -> L_co:
        """Let it live."""
        ...


class Receiver(msgspec.Struct, frozen=True, kw_only=True):
    """Where a stream goes and how fast; see `stream`."""

    url: str
    write_key: str
    speed: float = 1.0
    as_now: bool = False


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What is wanted. TruenorthError with all that cannot be had, before a long run rather than after it.

    ``journey`` keeps the events of one journey. ``truth`` is a JSON file; with faults, what was done to each arrival
    goes into a Parquet file beside it. A clock that is off cannot be streamed: the client dates its own requests.
    """

    out: Path | None = None
    journey: str | None = None
    faults: Faults = Faults()
    truth: Path | None = None
    to: Receiver | None = None

    def __post_init__(self) -> None:
        problems: list[Problem] = []
        if self.out is None and self.to is None:
            problems.append(Problem(path="out", expected="a file to write or a receiver of a stream", found="neither"))
        if self.journey is not None and self.journey not in JOURNEY_NAMES:
            hint = nearest(self.journey, JOURNEY_NAMES)
            problems.append(Problem(path="journey", expected="a journey", found=f"'{self.journey}'", hint=hint))
        if self.to and not self.to.speed >= SLOWEST:
            problems.append(Problem(path="speed", expected=f"a number from {SLOWEST:g}", found=f"{self.to.speed:g}"))
        if self.to and self.faults.clock_skew:
            hint = "write a file: its column sent_at tells what the clocks showed"
            expected = "no clock_skew in a stream, whose client dates its requests by its own clock"
            problems.append(Problem(path="faults", expected=expected, found="clock_skew", hint=hint))
        problems += _found(check_target, self.out)
        problems += _found(check_folder, self.truth)
        if problems:
            raise TruenorthError(problems)


def _found(check: Callable[[Path], None], path: Path | None) -> Sequence[Problem]:
    try:
        if path:
            check(path)
    except TruenorthError as error:
        return error.problems
    return ()


class Produced(msgspec.Struct, frozen=True, kw_only=True):
    """What was made: events that happened, arrivals (duplicates count), faults by kind, files, the stream, the time."""

    n_events: int
    n_arrivals: int
    faults: dict[str, int]
    written: tuple[Path, ...]
    streamed: Streamed | None
    seconds: float = 0.0


def produce(
    world: Living[L],
    order: Order,
    seed: int,
    *,
    truth_of: Callable[[L], object],
    clock: Clock,
    on_progress: Progress,
) -> Produced:
    """Let a company live, disturb what arrives of it, and write or stream it as ordered.

    Without faults and stream the log is made and written part by part; else it is held in memory. ``seed`` is that of
    the faults; ``truth_of`` tells causes and true effects as values that `msgspec` can write. TruenorthError where
    something cannot be written or nobody receives.
    """
    if order.to:
        check_receiver(order.to.url)
    lived = world.run(on_progress)
    disturbed = None
    if order.to or order.faults != Faults():
        on_progress("disturbing", 0.0)
        disturbed = apply(_of_journey(lived.events(), order.journey), order.faults, seed)
    written = []
    n_written = 0
    if order.out:
        n_written = write_parts(_parts(lived, order.journey, disturbed, on_progress), order.out)
        written.append(order.out)
    if order.truth:
        written += _write_truth(truth_of(lived), order.truth, disturbed if order.faults != Faults() else None)
    return Produced(
        n_events=disturbed.truth.filter(~pl.col("duplicate"))["row"].count() if disturbed else n_written,
        n_arrivals=disturbed.arrivals.height if disturbed else n_written,
        faults=counted(disturbed.truth) if disturbed else {},
        written=tuple(written),
        streamed=_stream(disturbed.arrivals, order.to, clock, on_progress) if disturbed and order.to else None,
    )


def _of_journey(frame: pl.DataFrame, journey: str | None) -> pl.DataFrame:
    return frame if journey is None else frame.filter(pl.col("journey") == journey)


def _parts(lived: Lives, journey: str | None, disturbed: Disturbed | None, tell: Progress) -> Iterator[pl.DataFrame]:
    """What is written, part by part; one without events where nothing happened."""
    n = disturbed.arrivals.height if disturbed else lived.n_events
    if not n:
        yield disturbed.arrivals if disturbed else lived.events()
        return
    n_done = 0
    for part in disturbed.arrivals.iter_slices(ROWS_PER_PART) if disturbed else lived.parts(ROWS_PER_PART):
        tell("writing", n_done / n)
        yield part if disturbed else _of_journey(part, journey)
        n_done += part.height


def _write_truth(truth: object, path: Path, disturbed: Disturbed | None) -> list[Path]:
    """The causes as JSON; beside it, if there are faults, what was done to each arrival."""
    with whole_file(path) as unfinished:
        unfinished.write_bytes(msgspec.json.format(msgspec.json.encode(truth), indent=2) + b"\n")
    if disturbed is None:
        return [path]
    by_arrival = path.with_suffix(".faults.parquet")
    write_parts([disturbed.truth], by_arrival)
    return [path, by_arrival]


def _stream(arrivals: pl.DataFrame, to: Receiver, clock: Clock, on_progress: Progress) -> Streamed:
    on_progress("streaming", 0.0)
    return stream(
        arrivals,
        to.url,
        to.write_key,
        clock=clock,
        speed=to.speed,
        as_now=to.as_now,
        on_progress=lambda n_sent: on_progress("streaming", n_sent / arrivals.height),
    )
