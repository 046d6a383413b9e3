"""Where what a stream has to tell goes. Each sink makes a micro-batch that comes again count once.

The driver hands batches over in order. What a batch changes passes through it: rows of cases that moved, not events.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

import msgspec

from truenorth.cluster.stream.bucket import Told
from truenorth.cluster.stream.judging import Batch
from truenorth.cluster.stream.tables import Tables
from truenorth.logs.whole import folder_at, whole_file
from truenorth.server.exports.topic import Message, Topic
from truenorth.server.webhook_message import body_of
from truenorth.spec.model import Journey
from truenorth.store.opening import Store
from truenorth.store.rows import Judged, NewSignal, Progress, Signal

SIGNALS_A_BATCH = 1 << 32
"""Numbers of signals begin at this times the number of their batch."""
BATCHES = "batches"
_TOLD = msgspec.msgpack.Decoder(list[Told])


class Sink(Protocol):
    """Takes micro-batches in order."""

    @property
    def is_filled(self) -> bool:
        """Whether it holds batches already."""
        ...

    def __call__(self, batch: Batch, /) -> object:
        """Take a micro-batch."""
        ...


def signals_of_batch(journey: str, batch: Batch) -> Iterator[tuple[NewSignal, bytes]]:
    """The signals of a batch by time, each with the JSON that webhooks get; the same when the batch comes again."""
    signals = [one for told in batch.told for one in told.signals]
    signals.sort(key=lambda one: (one.time_us, one.case or "", one.kind, one.body))
    for number, one in enumerate(signals, batch.number * SIGNALS_A_BATCH + 1):
        yield one, body_of(Signal(number=number, journey=journey, **msgspec.structs.asdict(one)))


class FilesSink:
    """A folder: a file for each batch with what it told, and signals and what was put aside as JSON lines.

        FOLDER/batches/000000000007.msgpack    rows, for `read_tables`
        FOLDER/signals/000000000007.jsonl      signals in the shape of webhooks
        FOLDER/aside/000000000007.jsonl        rows that could not be read or came too late: reason, row

    A batch that comes again replaces its files; those of a batch without any are not there.
    """

    def __init__(self, folder: Path, journey: Journey) -> None:
        """TruenorthError where the folder cannot be made."""
        self._folder, self._journey = folder, journey
        for name in (BATCHES, "signals", "aside"):
            folder_at(folder / name)

    @property
    def is_filled(self) -> bool:
        """Whether there are batches."""
        return any((self._folder / BATCHES).iterdir())

    def __call__(self, batch: Batch) -> None:
        """Write a batch."""
        name = f"{batch.number:012}"
        late = [one for told in batch.told for one in told.too_late]
        self._write("aside", f"{name}.jsonl", map(msgspec.json.encode, [*batch.aside, *late]))
        self._write("signals", f"{name}.jsonl", (body for _, body in signals_of_batch(self._journey.name, batch)))
        with whole_file(self._folder / BATCHES / f"{name}.msgpack") as temporary:
            temporary.write_bytes(msgspec.msgpack.encode(batch.told))

    def _write(self, what: str, name: str, lines: Iterable[bytes]) -> None:
        whole = b"".join(line + b"\n" for line in lines)
        path = self._folder / what / name
        if not whole:
            path.unlink(missing_ok=True)
            return
        with whole_file(path) as temporary:
            temporary.write_bytes(whole)


def read_tables(folder: Path, journey: Journey) -> Tables:
    """Cases and promises as they stand after all batches of a folder that `FilesSink` has filled."""
    tables = Tables(journey)
    for path in sorted((folder / BATCHES).glob("*.msgpack")):
        for told in _TOLD.decode(path.read_bytes()):
            tables.add(told)
    return tables


class StoreSink:
    """The tables of a store, SQLite or PostgreSQL: rows, signals and webhooks as the live service has them.

    A batch is one transaction with the number of the batch: one that comes again changes nothing. The store is the
    stream's alone; a runner of the live service would judge the journey by its own log.
    """

    def __init__(self, store: Store, journey: Journey) -> None:
        self._store, self._journey = store, journey.name

    @property
    def is_filled(self) -> bool:
        """Whether there are batches, or what a runner of the live service has judged."""
        return self._store.results.progress(self._journey).position > 0

    def __call__(self, batch: Batch) -> None:
        """Write a batch, unless it is there."""
        before = self._store.results.progress(self._journey)
        if before.position > batch.number:
            return
        told = batch.told
        n_events = before.n_events + sum(one.n_events + one.n_no_key for one in told)
        progress = Progress(
            position=batch.number + 1,
            told=batch.number + 1,
            n_events=n_events,
            n_no_key=before.n_no_key + sum(one.n_no_key for one in told),
        )
        judged = Judged(
            progress=progress,
            follows=before if before.position else None,
            cases=[row for one in told for row in one.cases],
            promises=[row for one in told for row in one.promises],
            anew=[case for one in told for case in one.gone],
            signals=[signal for signal, _ in signals_of_batch(self._journey, batch)],
        )
        self._store.results.write(self._journey, judged, n_erasures=self._store.results.n_erasures())


class KafkaSink:
    """A topic that gets the signals in the shape of webhooks, keyed by case.

    A batch that comes again sends its signals again under the same numbers (``data.number``): who reads drops those it
    has seen.
    """

    is_filled = False
    """Whether there are batches: a topic does not tell."""

    def __init__(self, topic: Topic, journey: Journey) -> None:
        self._topic, self._journey = topic, journey.name

    def __call__(self, batch: Batch) -> None:
        """Send the signals of a batch and wait for their acknowledgement."""
        signals = signals_of_batch(self._journey, batch)
        messages = (Message((signal.case or "").encode(), body) for signal, body in signals)
        self._topic.send(messages, "the stream stops here and goes on from this batch when it is started again")
