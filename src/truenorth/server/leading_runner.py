"""A runner or foreseer on a thread of its own, as long as this process leads; otherwise it waits to take over."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event as Flag
from threading import Thread
from typing import Generic, Protocol, TypeVar

import structlog

from truenorth.store.leadership import RUNNER, Lead, leading
from truenorth.store.opening import Store
from truenorth.store.ports import StoreFull

RESTART_S = 2.0
"""The wait before a runner that failed begins again."""

LOG = structlog.get_logger("truenorth.runner")


class Led(Protocol):
    """What one process at a time runs."""

    wake: Flag

    def run(self, stopped: Flag, may_go_on: Callable[[], bool] = lambda: True) -> None:
        """Run until stopped, or until this process may not go on."""


T = TypeVar("T", bound=Led)


class LeadingRunner(Generic[T]):
    """Starts and stops a runner; what it knows of itself is asked of it here."""

    def __init__(self, store: Store, make: Callable[[], T], lead: Lead = RUNNER) -> None:
        self._lead_of = lead
        self._store = store
        self._make = make
        self._stopped = Flag()
        self._thread = Thread(target=self._run, name="truenorth-runner", daemon=True)
        self._runner: T | None = None

    def start(self) -> None:
        """Begin to lead or to wait."""
        self._thread.start()

    def stop(self) -> None:
        """Let the runner finish its step and pack its state."""
        self._stopped.set()
        self.wake()
        self._thread.join()

    def wake(self) -> None:
        """Tell the runner that there are new events."""
        if self._runner:
            self._runner.wake.set()

    @property
    def runner(self) -> T | None:
        """The runner while this process leads."""
        return self._runner

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._lead()
            except StoreFull as error:
                LOG.warning("the store refuses", reason=str(error))
            except Exception:
                LOG.exception("the runner failed: it begins again from the packed state and the log")
            self._runner = None
            self._stopped.wait(RESTART_S)

    def _lead(self) -> None:
        log = LOG.bind(leads=self._lead_of.name)
        with leading(
            self._store.database, self._stopped, self._lead_of, on_standby=lambda: log.info("another process leads")
        ) as lease:
            if not lease.is_leading():
                return
            log.info("leading")
            self._runner = self._make()
            self._runner.run(self._stopped, lease.is_leading)
