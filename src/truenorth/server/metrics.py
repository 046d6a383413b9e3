"""What Prometheus reads. Requests and what arrives are counted; how runner and outbox are is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from truenorth.events import Event, Refused
from truenorth.store.ports import Appended, EventLog

COMMIT_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
REQUEST_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

LOG = structlog.get_logger("truenorth.metrics")

Ask = Callable[[], float | None]
"""A value as it is now, or None where there is none."""


@dataclass(frozen=True, kw_only=True)
class Probes:
    """How the parts of the service are, asked when somebody wants to know. What is not given is not shown."""

    waiting_events: Ask | None = None
    """Events that wait to be written."""
    is_full: Callable[[], bool] | None = None
    """Whether ingest takes nothing more."""
    runner_position: Ask | None = None
    """The position of the log up to which every journey was judged."""
    log_position: Ask | None = None
    """The newest position of the log."""
    watermark_us: Ask | None = None
    """The watermark of the journey that is furthest behind."""
    late_events: Ask | None = None
    """Events that came after the watermark had passed them."""
    cases_in_memory: Ask | None = None
    """Cases whose state is held."""
    outbox_waiting: Ask | None = None
    """Deliveries that wait."""
    foreseer_position: Ask | None = None
    """The position of the log up to which every journey with a model was followed."""
    foreseer_cases: Ask | None = None
    """Keys with an open case whose risk is kept up to date."""
    foreseer_overdue_s: Ask | None = None
    """How long the case has waited that is looked at next."""


class Metrics:
    """The counters of one service, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "truenorth_requests", "Requests answered.", ("method", "route", "status"), registry=self.registry
        )
        self._seconds = Histogram(
            "truenorth_request_seconds",
            "From a request to the first byte of its answer.",
            buckets=REQUEST_BUCKETS,
            registry=self.registry,
        )
        self._events = Counter(
            "truenorth_events", "What arrived, by what became of it.", ("became",), registry=self.registry
        )
        self._commits = Histogram(
            "truenorth_commit_seconds",
            "Appending one batch to the log.",
            buckets=COMMIT_BUCKETS,
            registry=self.registry,
        )
        for became in ("accepted", "duplicate", "suppressed", "refused"):
            self._events.labels(became)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request; ``route`` is the template of its path, never the path."""
        self._requests.labels(method if method in METHODS else "other", route, str(status)).inc()
        self._seconds.observe(seconds)

    def appended(self, appended: Appended, n_refused: int, seconds: float) -> None:
        """Count a batch."""
        counts = (appended.n_new, appended.n_duplicates, appended.n_suppressed, n_refused)
        for became, n in zip(("accepted", "duplicate", "suppressed", "refused"), counts, strict=True):
            self._events.labels(became).inc(n)
        self._commits.observe(seconds)

    def text(self) -> bytes:
        """All of them in the text format of Prometheus."""
        return generate_latest(self.registry)


def measured(log: EventLog, metrics: Metrics, elapsed_s: Callable[[], float]) -> EventLog:
    """The same log, with everything that is appended to it counted, and how long that takes."""
    return cast(EventLog, _MeasuredLog(log, metrics, elapsed_s))


class _MeasuredLog:
    """Appends and counts; all else is the log's own."""

    def __init__(self, log: EventLog, metrics: Metrics, elapsed_s: Callable[[], float]) -> None:
        self._log = log
        self._metrics = metrics
        self._elapsed_s = elapsed_s

    def append(self, events: Sequence[Event], refused: Sequence[Refused] = ()) -> Appended:
        began_s = self._elapsed_s()
        appended = self._log.append(events, refused)
        self._metrics.appended(appended, len(refused), self._elapsed_s() - began_s)
        return appended

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)


class Asked(Collector):
    """Gauges whose values are asked for when somebody reads them."""

    def __init__(self, probes: Probes, now_us: Callable[[], int]) -> None:
        self._probes = probes
        self._now_us = now_us

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """One family for each probe that has a value."""
        for name, (help_text, ask) in self._gauges().items():
            value = _value(name, ask)
            if value is not None:
                yield GaugeMetricFamily(f"truenorth_{name}", help_text, value=value)

    def _gauges(self) -> Mapping[str, tuple[str, Ask]]:
        probes = self._probes
        gauges: dict[str, tuple[str, Ask | None]] = {
            "waiting_events": ("Events that wait to be written.", probes.waiting_events),
            "runner_position": ("Position of the log up to which everything was judged.", probes.runner_position),
            "log_position": ("Newest position of the log.", probes.log_position),
            "runner_lag_positions": ("Positions of the log not judged yet.", self._lag),
            "watermark_age_seconds": ("How far the watermark is behind the clock.", self.watermark_age_s),
            "late_events": ("Events that came after the watermark had passed them.", probes.late_events),
            "cases_in_memory": ("Cases whose state is held.", probes.cases_in_memory),
            "outbox_waiting": ("Deliveries that wait.", probes.outbox_waiting),
            "foreseer_lag_positions": ("Positions of the log that risks do not know yet.", self._foreseer_lag),
            "foreseer_cases": ("Open cases whose risk is kept up to date.", probes.foreseer_cases),
            "foreseer_overdue_seconds": ("How long a case has waited to be looked at.", probes.foreseer_overdue_s),
        }
        return {name: (help_text, ask) for name, (help_text, ask) in gauges.items() if ask is not None}

    def watermark_age_s(self) -> float | None:
        """How far the watermark is behind the clock, in seconds; None where there is none."""
        watermark_us = self._probes.watermark_us() if self._probes.watermark_us else None
        return None if watermark_us is None else (self._now_us() - watermark_us) / 1e6

    def _lag(self) -> float | None:
        return self._behind(self._probes.runner_position)

    def _foreseer_lag(self) -> float | None:
        return self._behind(self._probes.foreseer_position)

    def _behind(self, position: Ask | None) -> float | None:
        newest = self._probes.log_position() if self._probes.log_position else None
        reached = position() if position else None
        return None if newest is None or reached is None else max(0.0, newest - reached)


def _value(name: str, ask: Ask) -> float | None:
    """What is asked for, or None where that fails: the other gauges are worth having all the same."""
    try:
        return ask()
    except Exception as error:  # whatever is the matter with a part of the service
        LOG.warning("not known", gauge=name, error=type(error).__name__)
        return None
