"""The addresses that a service listens on.

It listens before its libraries are loaded: clients that ask meanwhile wait for seconds instead of being refused, which
some of them do not ask again after.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from ipaddress import ip_address
from socket import AI_PASSIVE, SOCK_STREAM, create_server, getaddrinfo, socket

from truenorth.spec.problems import Problem, TruenorthError

BACKLOG = 2_048
"""How many connections may wait, as far as the system allows."""


@contextmanager
def listening(host: str, port: int) -> Iterator[list[socket]]:
    """Sockets that listen on all addresses of a host; port 0 is one that is free, the same for all of them.

    `TruenorthError` where an address cannot be listened on.
    """
    with ExitStack() as opened:
        sockets: list[socket] = []
        try:
            for family, _, _, _, address in getaddrinfo(host, port, type=SOCK_STREAM, flags=AI_PASSIVE):
                at = port or (sockets[0].getsockname()[1] if sockets else 0)
                one = create_server((str(address[0]), at), family=family, backlog=BACKLOG)
                sockets.append(opened.enter_context(one))
        except OSError as error:
            hint = "stop what listens there, or name another --port or --host"
            found = str(error.strerror).partition(" (while")[0]  # the address once more
            raise TruenorthError(
                [Problem(path=f"{host}:{port}", expected="an address to listen on", found=found, hint=hint)]
            ) from None
        yield sockets


def only_loopback(host: str) -> None:
    """Raise `TruenorthError` unless an address to listen on can be reached from this machine only."""
    if not is_loopback(host):
        hint = "leave --open out and make a token, or listen on 127.0.0.1"
        problem = Problem(path="--open", expected="a loopback address", found=repr(host), hint=hint)
        raise TruenorthError([problem])


def is_loopback(host: str) -> bool:
    """Whether a name or an address stands for this machine.

    >>> is_loopback("127.8.8.8"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
