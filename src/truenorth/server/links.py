"""Campaign links: `/r/{link}` leads to a registered address and records the click."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Protocol
from urllib.parse import urlsplit

import msgspec

from truenorth.server.ingest.canonical import assemble, name_of
from truenorth.server.ingest.parsed import Arrival, Parsed
from truenorth.spec.document import Element, Table, Unreadable, read_document
from truenorth.spec.load import VERSION
from truenorth.spec.problems import TruenorthError
from truenorth.spec.readers import Reader, Reading, child_path, one_of, read_row, read_text

CLICK = "campaign click"
"""The type of the event."""

SOURCE = "links"
"""The source of the event, and the prefix of its id."""

MAX_QUERY = 20
"""Most further parameters of a link that are kept with the click."""

ADDRESS_FORM = "an absolute http or https address"

_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")
_MACHINES = re.compile(
    r"bot\b|bot/|crawl|spider|slurp|preview|facebookexternalhit|whatsapp|curl/|wget/|python-|headless|scanner|monitor",
    re.IGNORECASE,
)


class Registered(Protocol):
    """An address that a link leads to, and the campaign that it belongs to."""

    @property
    def url(self) -> str: ...  # noqa: D102 - the class says it
    @property
    def campaign(self) -> str | None: ...  # noqa: D102


class Links(Protocol):
    """The registered links."""

    def find(self, name: str) -> Registered | None:
        """The link of a name."""
        ...


class Link(msgspec.Struct, frozen=True):
    """A registered link. ValueError unless it leads to an absolute http or https address.

    >>> Link("https://shop.example/spring").url
    'https://shop.example/spring'
    """

    url: str
    campaign: str | None = None

    def __post_init__(self) -> None:
        if not is_address(self.url):
            raise ValueError(f"expected {ADDRESS_FORM}, found '{self.url}'")


class FixedLinks(dict[str, Link]):
    """Links that are known from the start, by name."""

    def find(self, name: str) -> Link | None:
        """The link of a name.

        >>> FixedLinks().find("spring") is None
        True
        """
        return self.get(name)


def is_address(url: str) -> bool:
    """Whether a link may lead there: an absolute http or https address.

    >>> is_address("https://shop.example/"), is_address("//evil.example"), is_address("javascript:alert(1)")
    (True, False, False)
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and url.isprintable() and " " not in url


class InvalidLinks(TruenorthError):
    """A file of links has errors."""


def load_links(source: str | bytes) -> FixedLinks:
    """The links of a YAML text, by name; InvalidLinks carries every problem.

    >>> load_links("truenorth: 1\\nlinks: {spring: https://shop.example/spring}")
    {'spring': Link(url='https://shop.example/spring', campaign=None)}
    """
    try:
        element = read_document(source)
    except Unreadable as error:
        raise InvalidLinks([error.problem]) from None
    reading = Reading()
    keys: dict[str, Reader] = {"truenorth": one_of((VERSION,)), "links": _read_links}
    row = read_row(reading, element, "$", keys, required=tuple(keys))
    if row is None or reading.problems:
        raise InvalidLinks(reading.problems)
    return FixedLinks(row.values["links"])


def _read_links(reading: Reading, element: Element, path: str) -> dict[str, Link] | None:
    if not isinstance(element, Table):
        reading.report(path, element, "a mapping of names to addresses")
        return None
    links: dict[str, Link] = {}
    for key, part in element.entries:
        where = child_path(path, key.text)
        if not _NAME.fullmatch(key.text):
            reading.report(where, key, "a name of letters, digits, - and _, as in /r/{link}")
        elif key.text in links:
            reading.report(where, key, f"'{key.text}' once", found="it a second time", hint="remove one")
        elif (url := read_text(reading, part, where)) is not None:
            try:
                links[key.text] = Link(url)
            except ValueError:
                reading.report(where, part, ADDRESS_FORM)
    return links


def is_person(method: str, headers: Mapping[str, str]) -> bool:
    """Whether a request looks like a person who follows a link; names of headers in lower case.

    Not counted: HEAD, what says it is a program, prefetching and previews.

    >>> is_person("GET", {"user-agent": "Mozilla/5.0"}), is_person("GET", {"user-agent": "Slackbot 1.0"})
    (True, False)
    """
    agent = headers.get("user-agent", "")
    purpose = headers.get("sec-purpose", "") + headers.get("purpose", "") + headers.get("x-moz", "")
    return (
        method == "GET" and bool(agent) and not _MACHINES.search(agent) and not re.search("prefetch|preview", purpose)
    )


def click(name: str, link: Registered, query: Mapping[str, str], peer: str, received_us: int) -> Parsed:
    """The event of a click. Customer: the parameter ``c``; other parameters (``utm_...``) are properties.

    ``peer`` tells clicks of the same microsecond apart and is not kept.

    >>> click("spring", Link("https://shop.example/"), {"c": "u1"}, "::1", 0).events[0].customer
    'u1'
    """
    customer = name_of(query.get("c"))
    others = {key: value for key, value in list(query.items())[:MAX_QUERY] if key != "c" and len(value) <= 500}
    properties = {"link": name, "url": link.url, "campaign": link.campaign, "query": others}
    seed = "\0".join((name, customer or "", peer, str(received_us)))
    event = assemble(
        Arrival(source=SOURCE, received_us=received_us),
        {},
        {name: value for name, value in properties.items() if value},
        id=sha256(seed.encode("utf-8", "replace")).hexdigest()[:40],
        type=CLICK,
        time_us=received_us,
        customer=customer,
    )
    return Parsed((event,))
