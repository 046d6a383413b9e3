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

    >>> seconds = iter([0, 0, 0, 1_000_000])
    >>> allowance = Allowance(Rate(per_second=1, burst=2), lambda: next(seconds))
    >>> [allowance.wait_us("ann") for _ in range(4)]
    [0, 0, 1000000, 0]
    """

    def __init__(self, rate: Rate, now_us: Callable[[], int], remembered: int = REMEMBERED) -> None:
        self._interval_us = 1e6 / rate.per_second
        self._tolerance_us = self._interval_us * (rate.burst - 1)
        self._now_us = now_us
        self._remembered = remembered
        self._due_us: OrderedDict[str, float] = OrderedDict()
        self._lock = Lock()

    def wait_us(self, asker: str) -> int:
        """0, and the request is counted; or how long to wait, and it is not."""
        now_us = self._now_us()
        with self._lock:
            due_us = max(self._due_us.get(asker, 0.0), now_us)
            wait_us = due_us - self._tolerance_us - now_us
            if wait_us > 0:
                return max(1, round(wait_us))
            self._due_us[asker] = due_us + self._interval_us
            self._due_us.move_to_end(asker)
            if len(self._due_us) > self._remembered:
                self._due_us.popitem(last=False)
        return 0


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
