"""Campaign links lead where they were registered to lead, and nowhere else."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.memory_log import NOW_US, MemoryLog, Service, talk
from truenorth.server.links import FixedLinks, InvalidLinks, Link, is_address, load_links

SHOP = FixedLinks(spring=Link("https://shop.example/spring?utm_source=mail", campaign="Spring"))
PERSON = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"}


def test_a_click_is_recorded_and_led_on() -> None:
    async def conversation(service: Service) -> None:
        answer = await service.client.get("/r/spring?c=u1&utm_content=top&url=https://evil.example", headers=PERSON)
        assert (answer.status_code, answer.headers["location"]) == (302, SHOP["spring"].url)
        assert answer.headers["cache-control"] == "no-store"
        (event,) = service.log.events
        assert (event.source, event.type, event.customer, event.time_us) == ("links", "campaign click", "u1", NOW_US)
        assert json.loads(event.properties)["properties"] == {
            "link": "spring",
            "url": SHOP["spring"].url,
            "campaign": "Spring",
            "query": {"utm_content": "top", "url": "https://evil.example"},
        }

    talk(conversation, links=SHOP)


@pytest.mark.parametrize(
    "headers",
    [
        {"User-Agent": "Slackbot-LinkExpanding 1.0"},
        {"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"},
        {"User-Agent": "facebookexternalhit/1.1"},
        {"User-Agent": ""},
        {**PERSON, "Sec-Purpose": "prefetch;prerender"},
    ],
)
def test_programs_are_led_on_and_not_counted(headers: dict[str, str]) -> None:
    async def conversation(service: Service) -> None:
        assert (await service.client.get("/r/spring", headers=headers)).status_code == 302
        assert (await service.client.head("/r/spring", headers=PERSON)).status_code == 302
        assert service.log.events == []

    talk(conversation, links=SHOP)


def test_a_person_is_not_held_up_by_a_full_store() -> None:
    log = MemoryLog()
    log.is_full = True

    async def conversation(service: Service) -> None:
        assert (await service.client.get("/r/spring", headers=PERSON)).status_code == 302

    talk(conversation, links=SHOP, log=log)


def test_links_that_cannot_be_looked_up_are_a_reason_to_try_again() -> None:
    class Broken:
        def find(self, name: str) -> Any:
            raise OSError

    async def conversation(service: Service) -> None:
        assert (await service.client.get("/r/spring", headers=PERSON)).status_code == 503

    talk(conversation, links=Broken())


@given(path=st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="?#"), max_size=30))
def test_nothing_leads_to_an_address_that_is_not_registered(path: str) -> None:
    async def conversation(service: Service) -> None:
        answer = await service.client.get(f"/r/{path}", headers=PERSON)
        assert answer.status_code in (302, 307, 404)
        if "location" in answer.headers and answer.status_code == 302:
            assert answer.headers["location"] == SHOP["spring"].url

    talk(conversation, links=SHOP)


def test_a_file_of_links_is_told_all_of_its_mistakes() -> None:
    text = "  a: https://x.example\n  a: https://y.example\n  b c: https://x.example\n  d: /x"
    with pytest.raises(InvalidLinks) as raised:
        load_links(f"truenorth: 1\nlinks:\n{text}")
    assert [problem.path for problem in raised.value.problems] == ["$.links.a", "$.links['b c']", "$.links.d"]


@pytest.mark.parametrize(
    "url", ["", "/spring", "//evil.example", "javascript:alert(1)", "ftp://x", "https://a b", "https:///x"]
)
def test_a_link_leads_to_a_whole_address(url: str) -> None:
    with pytest.raises(ValueError, match="absolute http"):
        Link(url)


@given(url=st.text(max_size=30) | st.sampled_from(["http://[", "https://[::1", "https://x\u2028y", "HTTPS://X"]))
def test_a_registered_text_that_is_no_address_leads_nowhere(url: str) -> None:
    class Careless:
        def find(self, name: str) -> Any:
            return SimpleNamespace(url=url, campaign=None)

    async def conversation(service: Service) -> None:
        answer = await service.client.get("/r/spring", headers=PERSON)
        assert (answer.status_code == 302) == is_address(url)
        assert answer.status_code in (302, 404)

    talk(conversation, links=Careless())
