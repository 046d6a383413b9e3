"""Where webhooks may be sent: public addresses only, and never another one than the one that was checked.

A webhook's address comes from a user. Without care it would let them speak to what only this machine can reach: itself,
the network around it, the metadata service of a cloud (server-side request forgery). So a name is resolved by the very
call that connects, every address that it stands for has to be public, and the connection goes to that address. TLS
checks the certificate against the name.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

import httpcore
import httpx
import msgspec

from truenorth.spec.problems import Problem, TruenorthError

MAX_URL_CHARACTERS = 2_000
MAX_ADDRESSES = 8
"""Addresses of a name that are tried at most."""

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Awaitable[Sequence[Address]]]
"""A host and a port to the addresses that it stands for; OSError where there is none."""

_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")
_METADATA = frozenset({ip_address("168.63.129.16")})
"""Public in form, but inside of a cloud an internal service (Azure). All others lie in ranges that are not public."""
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)
"""The third quarter of an IPv6 address whose last one is an IPv4 address (RFC 5214)."""


class TargetRules(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator allows. ``loopback``: this machine as well, also without TLS (demonstrations, tests).

    ``ports``: the only ones, if any are named.
    """

    loopback: bool = False
    ports: frozenset[int] = frozenset()


class RefusedTarget(Exception):
    """Nothing was sent: the target is none that a webhook may have."""


def is_public(address: Address) -> bool:
    """Whether an address is one of the internet, and so is every other address that is written inside of it.

    >>> [is_public(ip_address(one)) for one in ("93.184.215.14", "127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a00:1")]
    [True, False, False, False]
    """
    inner = tuple(_inside(address))
    if isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST:
        return bool(inner) and address in _NAT64 and all(map(is_public, inner))
    known = address.is_global and not address.is_multicast and not address.is_reserved
    return known and address not in _METADATA and all(map(is_public, inner))


def _inside(address: Address) -> Iterator[IPv4Address]:
    """The IPv4 addresses that an IPv6 address is another writing of, or that a tunnel would send it to."""
    if isinstance(address, IPv4Address):
        return
    if address.sixtofour:
        yield address.sixtofour
    if address.teredo:
        yield from address.teredo
    if address in _NAT64 or (int(address) >> 32) & 0xFFFF_FFFF in _ISATAP:
        yield IPv4Address(int(address) & 0xFFFF_FFFF)


def is_allowed(address: Address, rules: TargetRules) -> bool:
    """Whether a webhook may be sent to an address."""
    return is_public(address) or (rules.loopback and address.is_loopback)


def checked_url(text: str, rules: TargetRules) -> httpx.URL:
    """A webhook's URL, if it can be one as far as its text tells; `TruenorthError` with all that is wrong with it.

    >>> try:
    ...     checked_url("http://me:secret@0x7f.1/hook", TargetRules())
    ... except TruenorthError as error:
    ...     print(error)
    webhook URL: expected a URL that begins with https://, found http://. Hint: signals are about people: use TLS
    webhook URL: expected no user name or password, found one. Hint: receivers know us by the signature
    webhook URL: expected a public address, found 127.0.0.1. Hint: name a host that the internet can reach
    """
    try:
        url = httpx.URL(text if len(text) <= MAX_URL_CHARACTERS else "")
    except (httpx.InvalidURL, ValueError) as error:
        raise TruenorthError([_problem("a URL such as https://example.org/hook", str(error), "")]) from error
    problems = tuple(_problems(url, rules))
    if problems:
        raise TruenorthError(problems)
    return url


def _problems(url: httpx.URL, rules: TargetRules) -> Iterator[Problem]:
    address = _literal(url.host)
    name = url.host.rstrip(".")
    is_here = name.rpartition(".")[2] == "localhost" or (address is not None and address.is_loopback)
    if url.scheme != "https" and not (url.scheme == "http" and rules.loopback and is_here):
        expected = "a URL that begins with https://"
        yield _problem(expected, f"{url.scheme}://" if url.scheme else "none", "signals are about people: use TLS")
    if not url.host:
        yield _problem("the name of a host", "none", "write https://example.org/hook")
    if url.userinfo:
        yield _problem("no user name or password", "one", "receivers know us by the signature")
    if rules.ports and port_of(url) not in rules.ports:
        allowed = ", ".join(map(str, sorted(rules.ports)))
        yield _problem(f"one of the ports {allowed}", str(port_of(url)), "the operator allows no others")
    if is_here and not rules.loopback and address is None:
        yield _problem("a public address", url.host, "name a host that the internet can reach")
    if address is not None and not is_allowed(address, rules):
        yield _problem("a public address", str(address), "name a host that the internet can reach")


def _problem(expected: str, found: str, hint: str) -> Problem:
    return Problem(path="webhook URL", expected=expected, found=found, hint=hint)


def port_of(url: httpx.URL) -> int:
    """The port of a URL, said or not."""
    return url.port or (443 if url.scheme == "https" else 80)


def _literal(host: str) -> Address | None:
    """The address that a host is, in any writing that a system takes for one; None for a name."""
    try:
        return ip_address(host.strip("[]").rstrip(".").replace("%25", "%"))
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(host.rstrip(".")))  # decimal, octal, hexadecimal, fewer than four parts
    except (OSError, ValueError):
        return None


async def resolved(host: str, port: int) -> Sequence[Address]:
    """The addresses of a name, as the system knows them."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(ip_address(place[0]) for *_, place in found))


class CheckedBackend(httpcore.AsyncNetworkBackend):
    """Connects to addresses that are allowed, and to nothing else. There is no second look at the name."""

    def __init__(
        self, rules: TargetRules, resolve: Resolve = resolved, network: httpcore.AsyncNetworkBackend | None = None
    ) -> None:
        self._rules = rules
        self._resolve = resolve
        self._network = network or httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # the library's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A stream to the host: RefusedTarget where one of its addresses is not allowed; else as httpcore has it."""
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        try:
            async with asyncio.timeout(timeout):
                for address in await self._addresses(host, port):
                    try:
                        return await self._network.connect_tcp(
                            str(address), port, timeout, local_address, socket_options
                        )
                    except httpcore.ConnectError as error:
                        failure = error
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(f"{host} does not answer") from error
        raise failure

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ARG002  # the library's signature
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002  # the library's signature
    ) -> httpcore.AsyncNetworkStream:
        """Never."""
        raise RefusedTarget(f"{path} is a file of this machine")

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)

    async def _addresses(self, host: str, port: int) -> Sequence[Address]:
        """All addresses of a host, if all are allowed: a name with one of each kind is a trick or a mistake."""
        if self._rules.ports and port not in self._rules.ports:
            raise RefusedTarget(f"port {port} is not allowed")
        try:
            addresses = await self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"{host} cannot be resolved: {error}") from error
        for address in addresses:
            if not is_allowed(address, self._rules):
                raise RefusedTarget(f"{host} stands for {address}, which is no public address")
        return addresses[:MAX_ADDRESSES]
