"""Whatever a user writes and whatever a name stands for: nothing is sent to an address that is not public."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

import httpcore
import pytest
from hypothesis import given
from hypothesis import strategies as st

from truenorth.server.targets import (
    Address,
    CheckedBackend,
    RefusedTarget,
    TargetRules,
    checked_url,
    is_public,
    resolved,
)
from truenorth.spec.problems import TruenorthError

PRIVATE_4 = [
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/29"),
    *("192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4"),
    *("240.0.0.0/4", "168.63.129.16/32", "100.100.100.200/32", "169.254.169.254/32"),
]
PRIVATE_6 = [
    *("::1/128", "::/128", "fc00::/7", "fd00:ec2::254/128", "fe80::/10", "fec0::/10", "ff00::/8", "::/96", "100::/64"),
    *("2001:db8::/32", "64:ff9b:1::/48", "::ffff:0:0/96", "2001::/32"),
]
PUBLIC = ["93.184.215.14", "1.1.1.1", "8.8.8.8", "2606:4700:4700::1111", "64:ff9b::101:101"]

Spelled = tuple[IPv4Address, str]


def inside(networks: Sequence[str]) -> st.SearchStrategy[Any]:
    return st.sampled_from([(IPv4Network if "." in one else IPv6Network)(one) for one in networks]).flatmap(
        lambda network: st.integers(int(network[0]), int(network[-1])).map(
            IPv4Address if network.version == 4 else IPv6Address
        )
    )


def number(draw: st.DrawFn, value: int) -> str:
    return draw(st.sampled_from([f"{value}", f"{value:#x}", f"0{value:o}", f"0X{value:X}", f"000{value:o}"]))


@st.composite
def spelled(draw: st.DrawFn) -> str:
    """A private IPv4 address as systems take it: fewer parts, each decimal, octal or hexadecimal; or within IPv6."""
    address = draw(inside(PRIVATE_4))
    whole = int(address)
    a, b, c, d = address.packed
    parts = draw(st.sampled_from([[whole], [a, whole & 0xFFFFFF], [a, b, whole & 0xFFFF], [a, b, c, d]]))
    within = [
        *(f"[::ffff:{address}]", f"[::ffff:{whole >> 16:x}:{whole & 0xFFFF:x}]", f"[::{address}]"),
        *(f"[64:ff9b::{address}]", f"[2002:{whole >> 16:x}:{whole & 0xFFFF:x}::1]", f"[64:ff9b:1::{address}]"),
        f"[2606:4700::5efe:{whole >> 16:x}:{whole & 0xFFFF:x}]",
        f"[2001:0:{0x5DB8D70E >> 16:x}:{0x5DB8D70E & 0xFFFF:x}:0:0:{~whole >> 16 & 0xFFFF:x}:{~whole & 0xFFFF:x}]",
        f"[::ffff:0:{address}]",
    ]
    dot = draw(st.sampled_from(["", "."]))
    return draw(st.sampled_from([".".join(number(draw, part) for part in parts) + dot, *within]))


class NoNetwork(httpcore.AsyncNetworkBackend):
    """Notes where a connection would have gone."""

    def __init__(self) -> None:
        self.connected: list[tuple[str, int]] = []

    async def connect_tcp(self, host: str, port: int, *_: Any) -> httpcore.AsyncNetworkStream:
        self.connected.append((host, port))
        raise httpcore.ConnectError("no network")


def connect(backend: CheckedBackend, host: str) -> type[Exception]:
    async def tried() -> None:
        await backend.connect_tcp(host, 443, 5)

    with pytest.raises((RefusedTarget, httpcore.ConnectError)) as caught:
        asyncio.run(tried())
    return caught.type


@given(spelled())
def test_no_spelling_of_a_private_address_is_a_target(host: str) -> None:
    with pytest.raises(TruenorthError):
        checked_url(f"https://{host}/hook", TargetRules())


@given(spelled())
def test_what_the_system_makes_of_a_spelling_is_not_connected_to(host: str) -> None:
    network = NoNetwork()
    connect(CheckedBackend(TargetRules(), resolved, network), host.strip("[]"))
    assert network.connected == []


@given(inside(PRIVATE_4) | inside(PRIVATE_6))
def test_what_is_not_public(address: Address) -> None:
    assert not is_public(address)
    if isinstance(address, IPv6Address):
        with pytest.raises(TruenorthError):
            checked_url(f"https://[{address}%25eth0]/", TargetRules())


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_public(address: str) -> None:
    assert is_public(ip_address(address))
    host = f"[{address}]" if ":" in address else address
    assert checked_url(f"https://{host}/hook?a=1", TargetRules()).raw_path == b"/hook?a=1"


ANSWERS = st.lists(st.sampled_from(PUBLIC).map(ip_address) | inside(PRIVATE_4) | inside(PRIVATE_6), max_size=10)


@given(ANSWERS)
def test_only_addresses_of_one_look_at_the_name_are_connected_to(answer: list[Address]) -> None:
    """A name that stands for something else a moment later gains nothing: it is looked up once for each connection."""
    looks: list[str] = []

    async def resolve(host: str, port: int) -> Sequence[Address]:
        looks.append(host)
        return answer

    network = NoNetwork()
    refused = connect(CheckedBackend(TargetRules(), resolve, network), "hooks.example") is RefusedTarget
    assert looks == ["hooks.example"]
    assert refused == (not all(map(is_public, answer)))
    assert network.connected == ([] if refused else [(str(one), 443) for one in answer[:8]])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("http://example.org/", "http://"),
        ("ftp://example.org/", "ftp://"),
        ("https://user@example.org/", "one"),
        ("https://:secret@example.org/", "one"),
        ("https:///path", "none"),
        ("//example.org/", "none"),
        ("https://localhost/", "localhost"),
        ("https://LOCALHOST/", "localhost"),
        ("https://localhost./", "localhost."),
        ("https://example.org:99999/", "99999"),
        ("https://exa\nmple.org/", ""),
        ("", "none"),
        ("https://example.org/" + "a" * 2_000, "none"),
        ("https://example.org:8443/", "8443"),
    ],
)
def test_what_is_no_url_of_a_webhook(text: str, found: str) -> None:
    with pytest.raises(TruenorthError) as caught:
        checked_url(text, TargetRules(ports=frozenset({443})))
    assert any(found in problem.found for problem in caught.value.problems)


@given(st.text(max_size=40))
def test_any_text_is_a_url_or_a_problem(text: str) -> None:
    for whole in (text, f"https://{text}"):
        try:
            url = checked_url(whole, TargetRules())
        except TruenorthError:
            continue
        assert url.scheme == "https"
        assert url.host
        assert not url.userinfo


def test_a_demonstration_may_speak_to_itself_and_to_nothing_else_without_tls() -> None:
    demo = TargetRules(loopback=True)
    for text in ("http://localhost:8000/", "http://127.0.0.1/", "http://[::1]:80/", "https://localhost/"):
        assert checked_url(text, demo).host
    for text in ("http://example.org/", "http://10.0.0.1/", "https://10.0.0.1/", "https://169.254.169.254/"):
        with pytest.raises(TruenorthError):
            checked_url(text, demo)


def test_a_file_of_this_machine_is_no_target() -> None:
    with pytest.raises(RefusedTarget):
        asyncio.run(CheckedBackend(TargetRules()).connect_unix_socket("/run/docker.sock"))


def test_a_port_that_is_not_allowed_is_not_connected_to() -> None:
    network = NoNetwork()
    backend = CheckedBackend(TargetRules(ports=frozenset({8443})), network=network)
    assert connect(backend, "1.1.1.1") is RefusedTarget
    assert network.connected == []
