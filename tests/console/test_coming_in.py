"""Who comes in: sessions, roles, one-time links, and nothing that another site asks for."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from console.running import NAMES, PAGES, PASSWORD, Running, address_in_story, prepare, running, twin_in_story
from truenorth.console.door import COOKIE
from truenorth.console.registry import Page
from truenorth.server.auth import Caller
from truenorth.store.opening import open_store
from truenorth.store.rows import Role

ROLES: tuple[Role, ...] = tuple(NAMES)
FOREIGN = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
NEW = "staple battery horse correct"
SOCKET = "/_nicegui_ws/socket.io/?EIO=4&transport="


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)
def test_nothing_is_shown_to_somebody_who_has_not_signed_in(console: Running, page: Page) -> None:
    with console.client() as client:
        asked = address_in_story(page)
        answer = client.get(asked)
        assert (answer.status_code, answer.text) == (303, "")
        assert answer.headers["location"].startswith("/sign-in?next=%2F")
        assert client.get(f"/csv{asked}").status_code in {303, 401}
        if page.twin is not None and (twin := twin_in_story(page)):
            assert client.get(twin).status_code == 401


def test_files_and_sockets_need_a_session_too(console: Running) -> None:
    with console.client() as client:
        assert client.get("/_nicegui/any/static/nicegui.js").status_code == 401
        assert client.get(f"{SOCKET}polling").status_code == 401
        assert client.post(f"{SOCKET}polling").status_code == 401
        assert client.get("/nothing-here").json()["code"] == "unknown_page"


def test_the_desk_leads_to_its_first_page(console: Running) -> None:
    with console.client("analyst") as client:
        assert client.get("/desk").headers["location"] == "/desk/health"
    with console.client() as client:
        assert client.get("/desk").headers["location"] == "/sign-in?next=%2Fdesk"


@pytest.mark.parametrize("role", ROLES)
def test_each_role_sees_its_pages_and_no_other(console: Running, role: Role) -> None:
    with console.client(role) as client:
        for page in PAGES:
            answer = client.get(address_in_story(page))
            expected = 200 if Caller("", role).may(page.role) else 403
            assert answer.status_code == expected, (page.path, answer.text[:500])
            assert f"<title>{page.title}" in unescape(answer.text)
            assert answer.headers["cache-control"] == "no-store"
            if page.table is not None:
                assert client.get(f"/csv{address_in_story(page)}").status_code == expected
            if page.twin is not None and (address := twin_in_story(page)):
                twin = client.get(address).status_code
                # a page that changes what others may read needs more than its twin; which role that is, API tests say
                assert twin in {200, expected}, page.path


def test_a_leader_reads_nobodys_name(console: Running) -> None:
    with console.client("viewer") as client:
        for page in PAGES:
            shown = client.get(address_in_story(page)).text
            assert "alert(1)" not in shown, page.path  # what the story's last customer has said
            assert not {f"C{n}" for n in range(12)} & set(shown.replace('"', " ").replace("\\", " ").split()), page.path


def test_a_session_is_a_cookie_that_scripts_and_other_sites_cannot_use(console: Running) -> None:
    with console.client() as client:
        answer = client.post("/sign-in", data={"name": NAMES["agent"], "password": PASSWORD, "next": "//evil.example"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        cookie = answer.headers["set-cookie"].lower()
        assert {"httponly", "samesite=lax", "path=/"} <= set(cookie.split("; "))
        assert PASSWORD not in cookie
        wrong = client.post("/sign-in", data={"name": NAMES["agent"], "password": "wrong"})
        nobody = client.post("/sign-in", data={"name": "nobody", "password": "wrong"})
        assert wrong.status_code == nobody.status_code == 401
        assert wrong.text.replace(NAMES["agent"], "") == nobody.text.replace("nobody", "")


def test_guessing_passwords_is_slowed_down(console: Running) -> None:
    with console.client() as client:
        tries = [client.post("/sign-in", data={"name": "guessed", "password": str(n)}).status_code for n in range(12)]
        assert tries == [401] * 10 + [429] * 2


def test_signing_out_ends_the_session_for_everybody_who_has_the_cookie(console: Running) -> None:
    with console.client("viewer", anew=True) as client, console.client() as copy:
        copy.cookies = client.cookies
        assert copy.get("/true-north").status_code == 200
        assert client.post("/sign-out").status_code == 303
        assert copy.get("/true-north").status_code == 303


def test_nothing_is_done_for_a_page_of_another_site(console: Running) -> None:
    with console.client("admin") as client:
        assert client.post("/sign-out", headers=FOREIGN).status_code == 403
        assert client.post("/sign-in", headers=FOREIGN).status_code == 403
        assert client.get(f"{SOCKET}polling", headers=FOREIGN).status_code == 403
        assert client.get("/api/v1/tokens").status_code == 200
        assert client.get("/api/v1/tokens", headers=FOREIGN).status_code == 401
        unsafe = client.post("/api/v1/tokens", json={"label": "stolen", "role": "admin"})
        assert unsafe.status_code == 401  # a session reads the API: changing something takes a token
        assert client.get("/true-north", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200  # a link


@pytest.mark.parametrize("origin", ["https://evil.example", "null", None])
def test_no_socket_for_a_page_of_another_site(console: Running, origin: str | None) -> None:
    with console.client("admin") as client:
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())

    async def connected(origin: str | None) -> int:
        address = console.address.replace("http", "ws") + f"{SOCKET}websocket"
        try:
            async with connect(address, origin=origin, additional_headers={"Cookie": cookie}):  # type: ignore[arg-type]
                return 101
        except InvalidStatus as refused:
            return refused.response.status_code

    with ThreadPoolExecutor(1) as elsewhere:  # a browser may have a loop of its own in this thread
        assert elsewhere.submit(asyncio.run, connected(origin)).result() == 403
        assert elsewhere.submit(asyncio.run, connected(console.address)).result() == 101


def test_pages_load_nothing_from_elsewhere_and_stand_in_no_frame(console: Running) -> None:
    with console.client("admin") as client:
        for path in ("/true-north", "/sign-in"):
            policy = client.get(path).headers["content-security-policy"]
            assert {"default-src 'self'", "frame-ancestors 'none'"} <= set(policy.split("; "))


def test_the_first_administrator_joins_by_a_link_that_holds_once(tmp_path: Path) -> None:
    prepare(tmp_path, with_accounts=False)
    with running(tmp_path) as console, console.client() as client:
        link = (tmp_path / "first-link").read_text()
        assert client.get(link).status_code == 200
        weak = client.post(link, data={"name": "ada", "password": "short"})
        assert (weak.status_code, "12 to 200 characters" in weak.text) == (422, True)
        assert client.post(link, data={"name": "<b>", "password": PASSWORD}).status_code == 422
        assert client.post(link, data={"name": "ada", "password": PASSWORD}, headers=FOREIGN).status_code == 403
        joined = client.post(link, data={"name": "ada", "password": PASSWORD})
        assert (joined.status_code, joined.headers["location"]) == (303, "/")
        assert client.get("/api/v1/tokens").status_code == 200
        with console.client() as other:
            assert other.get(link).status_code == 404
            assert other.post(link, data={"name": "eve", "password": PASSWORD}).status_code == 404
    with open_store(f"sqlite:///{tmp_path}/truenorth.db") as store:
        assert [(one.name, one.role) for one in store.accounts.all()] == [("ada", "admin")]
        assert [one.what for one in store.audit.read(0, limit=10)][-2:] == ["joined as admin", "signed in"]


def test_people_change_their_own_password_and_are_signed_out_elsewhere(tmp_path: Path) -> None:
    prepare(tmp_path)
    form = {"name": NAMES["admin"], "present": PASSWORD, "password": NEW}
    with running(tmp_path) as console, console.client() as nobody, console.client("viewer", anew=True) as client:
        assert "/account" in client.get("/true-north").text
        assert nobody.get("/account").status_code == 303
        assert nobody.post("/account", data=form).status_code == 401
        assert client.post("/account", data=form, headers=FOREIGN).status_code == 403
        wrong = client.post("/account", data={**form, "present": "wrong"})
        assert (wrong.status_code, "not your present password" in wrong.text) == (403, True)
        assert client.post("/account", data={**form, "password": "short"}).status_code == 422
        with console.client("viewer", anew=True) as elsewhere, console.client("admin", anew=True) as other:
            before = client.cookies[COOKIE]
            changed = client.post("/account", data=form)  # their own, whatever name the form has
            assert (changed.status_code, "is changed" in changed.text) == (200, True)
            client.cookies.clear()
            for secret, shown in ((before, 303), (changed.cookies[COOKIE], 200)):
                assert client.get("/true-north", headers={"Cookie": f"{COOKIE}={secret}"}).status_code == shown
            assert (elsewhere.get("/true-north").status_code, other.get("/true-north").status_code) == (303, 200)
        again = [nobody.post("/sign-in", data={"name": NAMES["viewer"], "password": one}) for one in (PASSWORD, NEW)]
        assert [answer.status_code for answer in again] == [401, 303]
    with open_store(f"sqlite:///{tmp_path}/truenorth.db") as store:
        noted = [(one.who, one.what) for one in store.audit.read(0, limit=100)]
        assert noted.count((NAMES["viewer"], "changed their password")) == 1


def test_an_open_console_is_for_this_machine_only(tmp_path: Path) -> None:
    prepare(tmp_path, with_accounts=False)
    with running(tmp_path, is_open=True) as console, console.client() as client:
        assert (tmp_path / "first-link").read_text() == ""
        assert client.get("/true-north").status_code == 200
        assert client.get("/true-north", headers={"Host": "evil.example"}).status_code == 403
        assert client.get(f"{SOCKET}polling", headers=FOREIGN).status_code == 403
