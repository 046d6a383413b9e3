"""What the demo says."""

from __future__ import annotations

from datetime import datetime

from truenorth.printing.terminal import err
from truenorth.spec.counted import counted
from truenorth.wiring.demo import Prepared


def started(address: str, made: Prepared, live_from: datetime, speed: float) -> None:
    """Where to look, and what is to be seen there."""
    err.print(f"the demo is at {address}  (Ctrl-C ends it and leaves nothing running)")
    known = ", ".join(made.models) or "no journey"
    err.print(f"a made-up company with {counted(made.n_events, 'event')} behind it; its cases are foreseen in: {known}")
    err.print(f"its clock shows {live_from:%A %d %B %Y %H:%M} UTC and runs {speed:g} times as fast as yours")


def ready(made: Prepared) -> None:
    """That the history is there."""
    err.print(f"the demo is prepared: {counted(made.n_events, 'event')}")


def ended() -> None:
    """That it is over."""
    err.print("the demo has ended; nothing is left running")
