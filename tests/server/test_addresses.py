"""Where a service listens, and from when on."""

from __future__ import annotations

import socket

import pytest

from truenorth.server.addresses import listening, only_loopback
from truenorth.spec.problems import TruenorthError


def test_all_addresses_of_a_host_have_the_same_port() -> None:
    with listening("localhost", 0) as sockets:
        ports = {one.getsockname()[1] for one in sockets}
        assert len(ports) == 1
        for one in sockets:
            with socket.socket(one.family) as client:
                client.connect(one.getsockname())
    assert all(one.fileno() < 0 for one in sockets)


def test_who_asks_before_anything_is_served_waits() -> None:
    with listening("127.0.0.1", 0) as [server], socket.create_connection(server.getsockname()) as client:
        client.sendall(b"?")
        accepted, _ = server.accept()
        with accepted:
            assert accepted.recv(1) == b"?"


def test_a_taken_address_says_so() -> None:
    with (
        listening("127.0.0.1", 0) as [first],
        pytest.raises(TruenorthError, match="an address to listen on, found Address already in use"),
        listening("127.0.0.1", first.getsockname()[1]),
    ):
        pass


def test_an_unknown_host_says_so() -> None:
    with pytest.raises(TruenorthError, match=r"no\.such\.invalid:80: expected"), listening("no.such.invalid", 80):
        pass


def test_open_services_listen_on_loopback_only() -> None:
    for host in ("127.0.0.1", "::1", "localhost", "127.8.8.8"):
        only_loopback(host)
    for host in ("0.0.0.0", "::", "192.168.0.1", "", "example.org"):
        with pytest.raises(TruenorthError, match="expected a loopback address"):
            only_loopback(host)
