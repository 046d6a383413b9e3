"""Signing in through a provider: who it vouches for comes in by the role of their groups, and nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from joserfc.jwk import RSAKey

from console.provider import MadeUp, vouching
from console.running import Running, prepare, running
from truenorth.console.oidc import BACK, BEGIN, settings_of
from truenorth.spec.problems import TruenorthError
from truenorth.store.opening import open_store


@pytest.fixture(scope="module")
def provider() -> Iterator[MadeUp]:
    with vouching() as found:
        yield found


@pytest.fixture(scope="module")
def joined(provider: MadeUp, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("provided")
    prepare(folder)
    with running(folder, environment=provider.environment()) as found:
        yield found


@contextmanager
def signing_in(
    console: Running, provider: MadeUp, there: str = "/", **says: Any
) -> Iterator[tuple[httpx.Client, httpx.Response]]:
    """A browser after it was at the provider, which says this of somebody."""
    provider.says = says
    with console.client() as client:
        asked = client.get(BEGIN, params={"next": there})
        assert asked.status_code == 302, asked.text
        answered = httpx.get(asked.headers["location"])
        yield client, client.get(answered.headers["location"])


def test_the_form_offers_the_provider(joined: Running) -> None:
    with joined.client() as client:
        assert "Sign in with Example" in client.get("/sign-in").text


def test_the_role_is_that_of_the_groups_and_follows_them(joined: Running, provider: MadeUp) -> None:
    for groups, role in (["everybody"], "viewer"), (["everybody", "service-desk"], "agent"), ("everybody", "viewer"):
        with signing_in(joined, provider, "/true-north", groups=groups) as (client, answer):
            assert (answer.status_code, answer.headers["location"]) == (303, "/true-north")
            assert client.get("/true-north").status_code == 200
            assert client.get("/now").status_code == (200 if role == "agent" else 403)
        with open_store(f"sqlite:///{joined.folder}/truenorth.db") as store:
            account = store.accounts.find("olga")
            assert account is not None
            assert (account.role, account.issuer) == (role, provider.address)
            assert store.accounts.password_of("olga") is None


def test_the_code_is_bound_to_this_browser(joined: Running, provider: MadeUp) -> None:
    with signing_in(joined, provider, groups=["everybody"]):
        pass
    asked = provider.asked[-1]
    assert asked["code_challenge_method"] == "S256"
    assert asked["nonce"]
    with joined.client() as other:  # somebody else's way back
        assert other.get(BACK, params={"code": "a-code", "state": asked["state"]}).status_code == 401
        assert other.get(BACK).status_code == 401


@pytest.mark.parametrize(
    ("says", "status"),
    [
        ({"groups": []}, 403),
        ({"groups": ["strangers"]}, 403),
        ({"groups": {"everybody": 1}}, 403),
        ({"aud": "another client"}, 401),
        ({"iss": "https://evil.example"}, 401),
        ({"nonce": "of another time"}, 401),
        ({"exp": 1_767_605_400}, 401),  # long ago
        ({"sub": "s-2", "preferred_username": "adam"}, 403),  # the name of somebody with a password
        ({"sub": "s-2", "preferred_username": "olga"}, 403),  # the name of somebody else whom it vouches for
    ],
    ids=str,
)
def test_nobody_else_comes_in(joined: Running, provider: MadeUp, says: dict[str, Any], status: int) -> None:
    with signing_in(joined, provider, groups=["everybody"]):
        pass
    with signing_in(joined, provider, **{"groups": ["everybody"], **says}) as (client, answer):
        assert answer.status_code == status
        assert client.get("/true-north").status_code == 303


def test_a_forged_signature_is_none(joined: Running, provider: MadeUp) -> None:
    provider.key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})
    try:
        with signing_in(joined, provider, groups=["everybody"]) as (_, answer):
            assert answer.status_code == 401
    finally:
        provider.key = provider.shown_key


def test_somebody_switched_off_stays_outside(joined: Running, provider: MadeUp) -> None:
    otto = {"sub": "s-9", "preferred_username": "otto", "groups": ["everybody"]}
    with signing_in(joined, provider, **otto) as (client, _):
        with open_store(f"sqlite:///{joined.folder}/truenorth.db") as store:
            store.accounts.switch("otto", off_us=1)
        assert client.get("/true-north").status_code == 303
    with signing_in(joined, provider, **otto) as (_, answer):
        assert answer.status_code == 403


def test_settings_say_all_that_is_wrong() -> None:
    given = {"TRUENORTH_OIDC_ISSUER": "http://login.example", "TRUENORTH_OIDC_ROLES": "desk=boss"}
    with pytest.raises(TruenorthError) as caught:
        settings_of(given)
    named = [problem.path.removeprefix("TRUENORTH_OIDC_") for problem in caught.value.problems]
    assert named == ["CLIENT_ID", "CLIENT_SECRET", "ISSUER", "ROLES"]
