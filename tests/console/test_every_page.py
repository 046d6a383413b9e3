"""What holds on every page: how it is computed, a twin in JSON, a table as CSV, an address that restores its filters,
numbers and instants as the reader writes them. The plain answer is read, without a browser.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from html.parser import HTMLParser
from io import StringIO
from xml.etree.ElementTree import Element

import httpx
import pytest

from console.running import PAGES, Running, address_in_story
from truenorth.console.first_look import ID
from truenorth.console.registry import Page

NOTHING_COUNTED = {"/desk/connect"}
"""How clients are set up: there is no table, and nothing in the API that would say the same."""
NO_TABLE = NOTHING_COUNTED | {"/panel/{customer}"}
"""One case, as a help desk shows it in a frame."""
EVERY = [pytest.param(page, id=page.path) for page in PAGES]
INSTANT = re.compile(r"\b(\d{1,2} [A-Z][a-z]{2,3} \d{4}, \d\d:\d\d:\d\d)\b")
FIGURES = ("dd", "td")
VOID = {"input", "br"}


@pytest.fixture
def client(console: Running) -> Iterator[httpx.Client]:
    with console.client("admin") as found:
        yield found


def seen(client: httpx.Client, address: str, language: str = "en-GB", zone: str = "UTC") -> Element:
    """The first look of a page."""
    headers = {"Accept-Language": language, "Cookie": f"{cookies(client)}; truenorth_zone={zone}"}
    answer = client.get(address, headers=headers)
    assert answer.status_code == 200, re.sub(r"<[^>]*>|\s+", " ", answer.text)[-2_000:]
    reader = _FirstLook()
    reader.feed(answer.text)
    assert reader.look is not None, "a page without a first look"
    return reader.look


class _FirstLook(HTMLParser):
    """Reads the element that is the first look, with all that is in it."""

    def __init__(self) -> None:
        super().__init__()
        self._open: list[Element] = []
        self.look: Element | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        made = Element(tag, {name: value or "" for name, value in attrs})
        if self._open:
            self._open[-1].append(made)
        elif made.get("id") == ID:
            self.look = made
        if (self._open or made is self.look) and tag not in VOID:
            self._open.append(made)

    def handle_endtag(self, tag: str) -> None:
        if self._open and tag not in VOID:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._open:
            *_, last = self._open[-1:]
            if len(last):
                last[-1].tail = (last[-1].tail or "") + data
            else:
                last.text = (last.text or "") + data


def cookies(client: httpx.Client) -> str:
    return "; ".join(f"{one.name}={one.value}" for one in client.cookies.jar)


def links(page: Element) -> dict[str, str]:
    return {"".join(one.itertext()): one.get("href", "") for one in page.iter("a")}


def texts(page: Element, *tags: str) -> list[str]:
    return ["".join(one.itertext()) for tag in tags for one in page.iter(tag)]


@pytest.mark.parametrize("page", EVERY)
def test_it_says_how_it_is_computed(client: httpx.Client, page: Page) -> None:
    shown = seen(client, address_in_story(page))
    (how,) = [one for one in shown.iter("details") if "How is this computed?" in texts(one, "summary")]
    assert len(texts(how, "p")) == len(page.how) > 0


@pytest.mark.parametrize("page", EVERY)
def test_its_table_is_there_as_csv(client: httpx.Client, page: Page) -> None:
    address = links(seen(client, address_in_story(page))).get("Table as CSV")
    assert (address is None) == (page.path in NO_TABLE)
    if address is not None:
        answer = client.get(address)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/csv; charset=utf-8")
        head, *rows = csv.reader(StringIO(answer.text))
        assert head
        assert all(len(row) == len(head) for row in rows)


@pytest.mark.parametrize("page", EVERY)
def test_the_api_says_the_same(client: httpx.Client, page: Page) -> None:
    address = links(seen(client, address_in_story(page))).get("The same as JSON")
    if address is None:  # where nothing was asked yet there is nothing to be the same
        assert page.path in NOTHING_COUNTED | {"/decisions/what-if"}
        return
    answer = client.get(address)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")


@pytest.mark.parametrize("page", EVERY)
def test_its_address_restores_its_filters(client: httpx.Client, page: Page) -> None:
    choices = list(seen(client, address_in_story(page)).iter("select"))
    own = [one for one in choices if one.get("id", "").startswith("tn-filter-")]
    for select in own:
        name, values = select.get("name", ""), [one.get("value", "") for one in select.iter("option")]
        told = httpx.URL(address_in_story(page)).copy_merge_params({name: values[-1]})
        (again,) = [one for one in seen(client, str(told)).iter("select") if one.get("name") == name]
        assert [one.get("value", "") for one in again.iter("option") if "selected" in one.attrib] == [values[-1]]


@pytest.mark.parametrize("page", EVERY)
def test_instants_are_in_the_readers_zone(client: httpx.Client, page: Page) -> None:
    here, there = (
        [instant for text in texts(seen(client, address_in_story(page), zone=zone), *FIGURES) for instant in told(text)]
        for zone in ("UTC", "Asia/Tokyo")
    )
    assert there == [one + timedelta(hours=9) for one in here]


def told(text: str) -> list[datetime]:
    return [datetime.strptime(one.replace("Sept", "Sep"), "%d %b %Y, %H:%M:%S") for one in INSTANT.findall(text)]


@pytest.mark.parametrize("page", EVERY)
def test_numbers_are_written_as_the_reader_does(client: httpx.Client, page: Page) -> None:
    """By a reader who writes a comma before decimals and a narrow space between thousands."""
    for text in texts(seen(client, address_in_story(page), "fr-FR"), *FIGURES):
        if not re.search(r"[a-z_]{3}", text):  # a sentence, a name or a version is a text
            assert not re.search(r"\d\.\d|\b[1-9]\d{0,2}(,\d{3})+\b", text), text
