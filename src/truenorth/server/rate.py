"""How often somebody may ask: a token bucket for each, kept as one number, and not for more of them than a bound."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from threading import Lock

import msgspec

REMEMBERED = 10_000
"""Most askers that are kept in mind; whoever has not asked for longest is forgotten first."""


class Rate(msgspec.Struct, frozen=True):
    """``per_second`` on average, and ``burst`` at once."""

    per_second: float
    burst: int


class Allowance:
    """A bucket for each asker, kept as the time its next request is due: the generic cell rate algorithm, ITU-T I.371.

    ``elapsed_s`` is a clock for durations, in seconds, that never goes back.

    >>> seconds = iter([0.0, 0.0, 0.0, 1.0])
    >>> allowance = Allowance(Rate(per_second=1, burst=2), lambda: next(seconds))
    >>> [allowance.wait_s("ann") for _ in range(4)]
    [0.0, 0.0, 1.0, 0.0]
    """

    def __init__(self, rate: Rate, elapsed_s: Callable[[], float], remembered: int = REMEMBERED) -> None:
        self._interval_s = 1 / rate.per_second
        self._tolerance_s = self._interval_s * (rate.burst - 1)
        self._elapsed_s = elapsed_s
        self._remembered = remembered
        self._due_s: OrderedDict[str, float] = OrderedDict()
        self._lock = Lock()

    def wait_s(self, asker: str) -> float:
        """0, and the request is counted; or how long to wait, and it is not."""
        now_s = self._elapsed_s()
        with self._lock:
            due_s = max(self._due_s.get(asker, now_s), now_s)
            wait_s = due_s - self._tolerance_s - now_s
            if wait_s > 0:
                return wait_s
            self._due_s[asker] = due_s + self._interval_s
            self._due_s.move_to_end(asker)
            if len(self._due_s) > self._remembered:
                self._due_s.popitem(last=False)
        return 0.0


def network_of(address: str) -> str:
    """What is one asker among addresses: an IPv4 address, or the /64 that a subscriber of IPv6 has.

    >>> network_of("203.0.113.7"), network_of("2001:db8::1:2:3:4")
    ('203.0.113.7', '2001:db8::/64')
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return f"{IPv6Address(int(parsed) >> 64 << 64)}/64"
    return str(parsed)
