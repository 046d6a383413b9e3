"""Truenorth: whether every customer gets the outcome they came for, measured from events.

>>> import truenorth as tn
>>> journey = tn.load_journey("examples/support/journey.yaml")
>>> log = tn.read_log("examples/support/log.csv", fields=journey.fields)
>>> replayed = tn.replay(journey, log)
>>> replayed.cases.columns[:3]
['case', 'customer', 'opened']

The names below are all that is promised; everything is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from truenorth import cluster, figures
    from truenorth.discovery import discover
    from truenorth.engine.replay import Replay
    from truenorth.explanation import Explanation, explain
    from truenorth.logs import Log, read_log, write_events
    from truenorth.report import write_report
    from truenorth.results import write_results
    from truenorth.spec.model import Journey
    from truenorth.spec.problems import InvalidJourney, Problem, UnreadableLog
    from truenorth.wiring.journey import check, load_journey, replay

__version__ = "0.1.0"

_HOMES = {
    "Explanation": "explanation",
    "InvalidJourney": "spec.problems",
    "Journey": "spec.model",
    "Log": "logs",
    "Problem": "spec.problems",
    "Replay": "engine.replay",
    "UnreadableLog": "spec.problems",
    "check": "wiring.journey",
    "discover": "discovery",
    "explain": "explanation",
    "load_journey": "wiring.journey",
    "read_log": "logs",
    "replay": "wiring.journey",
    "write_events": "logs",
    "write_report": "report",
    "write_results": "results",
}

__all__ = [
    "Explanation",
    "InvalidJourney",
    "Journey",
    "Log",
    "Problem",
    "Replay",
    "UnreadableLog",
    "check",
    "cluster",
    "discover",
    "explain",
    "figures",
    "load_journey",
    "read_log",
    "replay",
    "write_events",
    "write_report",
    "write_results",
]


def __getattr__(name: str) -> Any:
    if name in ("cluster", "figures"):
        return import_module(f"truenorth.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'truenorth' has no attribute '{name}'")
    value = getattr(import_module(f"truenorth.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
