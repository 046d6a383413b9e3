"""The runner in a process of its own, beside the one that takes events: Python runs one thread at a time in each.

The two speak through the child's standard input and output. A byte to the child: there are new events; the end of its
input: stop. A line from the child: what has become of the runner (`Status`), sent at least every half second and
whenever there are new signals.
"""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from threading import Event as Flag
from threading import Lock, Thread
from typing import Generic, TypeVar

import msgspec
import structlog

from truenorth.server.leading_runner import LeadingRunner, Led
from truenorth.server.runner import Runner
from truenorth.store.leadership import RUNNER, Lead
from truenorth.store.opening import Store

STATUS_S = 0.5
"""The longest time between two words of the child."""
RESTART_S = 2.0
"""The wait before a child that died is started again."""
STOP_S = 60.0
"""How long a child may take to finish its step and to write its state."""

LOG = structlog.get_logger("truenorth.runner")

T = TypeVar("T", bound=Led)


class Status(msgspec.Struct, frozen=True):
    """How a runner or a foreseer is; nothing is known of one that waits to lead.

    ``n_signals`` counts what it has told, ``overdue_us`` is how long the case has waited that a foreseer looks at next.
    """

    n_signals: int = 0
    position: int | None = None
    watermark_us: int | None = None
    n_cases: int | None = None
    n_late: int | None = None
    overdue_us: int | None = None


_STATUS = msgspec.json.Decoder(Status)


class RunnerProcess:
    """Starts a runner, or a foreseer, beside this process, starts it again if it dies, and stops it."""

    def __init__(self, command: Sequence[str], on_signals: Callable[[], object]) -> None:
        """``command`` runs `run_linked`."""
        self._command = list(command)
        self._on_signals = on_signals
        self._child: subprocess.Popen[bytes] | None = None
        self._stopped = Flag()
        self._thread = Thread(target=self._run, name="truenorth-runner", daemon=True)
        self.status = Status()
        """What the child has said last."""

    @property
    def has_command(self) -> bool:
        """Whether there is anything to start."""
        return bool(self._command)

    def start(self) -> None:
        """Start the child."""
        self._thread.start()

    def wake(self) -> None:
        """Tell the child that there are new events."""
        child = self._child
        if child is not None and child.stdin is not None:
            with suppress(OSError, ValueError):  # full: it knows already; closed: it is on its way out
                os.write(child.stdin.fileno(), b"!")

    def stop(self) -> None:
        """Let the child finish; return when it has."""
        self._stopped.set()
        child = self._child
        if child is not None and child.stdin is not None:
            with suppress(OSError):
                child.stdin.close()
        self._thread.join(STOP_S)
        if self._thread.is_alive() and child is not None:
            child.kill()
            self._thread.join()

    def _run(self) -> None:
        while not self._stopped.is_set():
            with subprocess.Popen(  # noqa: S603  # a command of our own
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
                process_group=0,  # Ctrl-C is for the parent, also while the child is still loading
            ) as child:
                assert child.stdin is not None
                assert child.stdout is not None
                os.set_blocking(child.stdin.fileno(), False)
                self._child = child
                if self._stopped.is_set():
                    child.stdin.close()
                for line in child.stdout:
                    self._hear(line)
            self._child, self.status = None, Status()
            if not self._stopped.wait(RESTART_S):
                LOG.warning("the runner has ended: starting it again", exit_status=child.returncode)

    def _hear(self, line: bytes) -> None:
        before = self.status.n_signals
        self.status = _STATUS.decode(line)
        if self.status.n_signals != before:
            self._on_signals()


@cache
def _set_aside_what_is_loaded() -> None:
    """At the first signals all code is loaded, and stays: looking through it for garbage takes 0.1 s each time."""
    gc.freeze()


def runner_status(runner: Runner) -> Status:
    """How a runner is."""
    return Status(0, runner.position, runner.watermark_us, runner.n_cases, runner.n_late)


class _Speaker(Generic[T]):
    """Says how the runner is on standard output."""

    def __init__(self, status_of: Callable[[T], Status]) -> None:
        self._lock = Lock()
        self._n_signals = 0
        self._status_of = status_of
        self.leading: LeadingRunner[T] | None = None

    def told(self) -> None:
        _set_aside_what_is_loaded()
        self._n_signals += 1
        self.speak()

    def speak(self) -> None:
        runner = self.leading.runner if self.leading else None
        status = Status() if runner is None else self._status_of(runner)
        status = msgspec.structs.replace(status, n_signals=self._n_signals)
        with self._lock, suppress(OSError, ValueError):  # nobody listens any more: the end of the input follows
            sys.stdout.buffer.write(msgspec.json.encode(status) + b"\n")
            sys.stdout.buffer.flush()


def run_linked(
    store: Store, make: Callable[[Callable[[], object]], T], status_of: Callable[[T], Status], lead: Lead = RUNNER
) -> None:
    """Run until standard input ends; ``make`` is given what the runner calls when there are new signals."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then ends the input
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    speaker = _Speaker(status_of)
    leading = LeadingRunner(store, lambda: make(speaker.told), lead)
    speaker.leading = leading
    leading.start()
    ended = Flag()

    def speak() -> None:
        while not ended.wait(STATUS_S):
            speaker.speak()

    Thread(target=speak, daemon=True).start()
    while os.read(sys.stdin.fileno(), 4096):
        leading.wake()
    leading.stop()
    ended.set()


def run_alone(store: Store, make: Callable[[Callable[[], object]], T], lead: Lead = RUNNER) -> None:
    """Run until the process is told to stop."""
    leading = LeadingRunner(store, lambda: make(_set_aside_what_is_loaded), lead)
    leading.start()
    stopped = Flag()
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, lambda *_: stopped.set())
    while not stopped.wait(STATUS_S):
        pass
    leading.stop()
