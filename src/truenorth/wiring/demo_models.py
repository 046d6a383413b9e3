"""The models of the demo, learnt in a process of their own while people work through the last weeks of its history."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from threading import Thread
from time import sleep

import msgspec

from truenorth.engine.replay import Progress
from truenorth.spec.load import parse_journey
from truenorth.store.foresight_rows import ModelRow
from truenorth.store.opening import open_store

HELD_OUT = 0.3
"""Of the cases, the latest: outcomes are final weeks after a case opens, so that a smaller share would hold few."""
N_ROWS, N_ROWS_SMALL = 3_000, 1_000
"""That are learnt from, far less than `train` takes."""
LOOK_S = 0.1
"""Between two looks at how far the other process is."""
_PROGRAM = (sys.executable, "-c", "from truenorth.wiring.demo_models import learn; learn()")
_LIBRARIES = ("truenorth.server.foreseeing.teaching", "lightgbm", "sklearn.linear_model", "sklearn.isotonic")
"""That take seconds to read in."""
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
"""There is another process beside."""


class Lessons(msgspec.Struct, frozen=True):
    """What is to be learnt: a model of each live journey from a store's log ``up_to`` a position.

    ``live_us``: when the models come to the store; ``folder``: where each is put on the way, as a file.
    """

    url: str
    up_to: int
    live_us: int
    folder: str
    journeys: tuple[str, ...]

    def file(self, journey: str) -> Path:
        """Where the model of a journey is put."""
        return Path(self.folder, f"{journey}.model")


class Model(msgspec.Struct, frozen=True):
    """A model as a store keeps it."""

    row: ModelRow
    blob: bytes


_LESSONS, _MODELS = msgspec.json.Decoder(Lessons), msgspec.msgpack.Decoder(Model)


class Learner:
    """A process that learns: it reads its libraries in at once, and waits for what is to be learnt."""

    def __init__(self, child: subprocess.Popen[bytes]) -> None:
        self._child = child

    def begin(self, lessons: Lessons) -> Callable[[Progress], Sequence[Model]]:
        """Let it learn; what is returned waits for it and has the models."""
        assert self._child.stdin is not None
        with suppress(BrokenPipeError):  # what has failed is told by whoever waits for it
            self._child.stdin.write(msgspec.json.encode(lessons) + b"\n")
            self._child.stdin.flush()
        return lambda tell: self._learnt(lessons, tell)

    def _learnt(self, lessons: Lessons, tell: Progress) -> list[Model]:
        files = [lessons.file(name) for name in lessons.journeys]
        while self._child.poll() is None:
            tell("learning to foresee", sum(file.exists() for file in files) / len(files))
            sleep(LOOK_S)
        if self._child.returncode:
            raise RuntimeError("the process that learns models has failed; it says above why")
        return [_MODELS.decode(file.read_bytes()) for file in files]


@contextmanager
def learner() -> Iterator[Learner]:
    """A process that learns; it ends with the block at the latest, and with this process in any case."""
    child = None
    try:
        child = subprocess.Popen(  # noqa: S603  # a command of our own
            _PROGRAM,
            stdin=subprocess.PIPE,
            env={**os.environ, **_ONE_THREAD},
            process_group=0,  # Ctrl-C is for this process, which ends the other one
        )
        yield Learner(child)
    finally:
        if child is not None:
            child.kill()
            child.communicate()


def learn() -> None:
    """In the process of its own: learn what the first line says, `Lessons` as JSON; nothing where none comes."""
    for library in _LIBRARIES:
        import_module(library)
    line = sys.stdin.buffer.readline()
    if not line:
        return
    Thread(target=_end_with_parent, daemon=True).start()
    lessons = _LESSONS.decode(line)
    for name, model in models_of(lessons):
        file = lessons.file(name)
        unfinished = file.with_suffix(".unfinished")
        unfinished.write_bytes(msgspec.msgpack.encode(model))
        unfinished.replace(file)


def _end_with_parent() -> None:
    os.read(sys.stdin.fileno(), 1)  # nothing ever comes but the end
    os._exit(1)


def models_of(lessons: Lessons) -> Iterator[tuple[str, Model]]:
    """A model of each journey, with its name: the log is read once for all of them."""
    from truenorth.foresight.backtest import Asked  # noqa: PLC0415  (learning libraries)
    from truenorth.foresight.boosted import SETTINGS  # noqa: PLC0415
    from truenorth.foresight.train import Effort  # noqa: PLC0415
    from truenorth.server.foreseeing.teaching import judged_by_all, taught  # noqa: PLC0415

    effort = Effort(settings=SETTINGS[1:], n_threads=1, n_rows=N_ROWS, n_rows_small=N_ROWS_SMALL)
    with open_store(lessons.url) as store:
        texts = [text for text in store.journeys.live() if text.name in lessons.journeys]
        every = judged_by_all(store, [parse_journey(text.text) for text in texts], lambda *_: None, up_to=lessons.up_to)
    for text, judged in zip(texts, every, strict=True):
        found = taught(
            judged,
            Asked(test_share=HELD_OUT),
            effort,
            seed=0,
            now_us=lessons.live_us,
            tell=lambda *_: None,
            again_for_work_only=True,
        )
        yield text.name, Model(found.row, found.foresight.to_bytes())
