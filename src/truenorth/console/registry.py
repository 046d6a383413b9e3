"""What a page of the console is, and all that there are."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from urllib.parse import quote, urlencode

import msgspec

from truenorth.server.auth import Caller
from truenorth.store.rows import Role

if TYPE_CHECKING:
    from truenorth.console.sight import Sight
    from truenorth.console.tables import Table

Group = Literal["Lead", "Act", "Understand", "Design", "Run", ""]
"""Where a page stands in the menu; a page of no group is reached by links only."""
GROUPS: tuple[Group, ...] = ("Lead", "Act", "Understand", "Design", "Run")


class Choice(NamedTuple):
    """A value that a filter can have, and how it is called."""

    value: str
    words: str


class NoFilters(msgspec.Struct, frozen=True):
    """A page without filters."""


Choices = Callable[["Sight"], Awaitable[Sequence[Choice]]]


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page. Its address restores it: the filters are its query.

    ``path`` begins with a slash; parts in braces are filters too. ``role``: the smallest that may see it. ``filters``:
    a frozen struct of texts, `Literal`s, numbers and booleans, all with defaults; ``choices`` offers values for some,
    asked as the reader; ``silent`` filters stand in the address only, not in the form; those in ``days`` are days;
    those in ``folded`` are hidden under the words of ``fold`` until they are wanted; the one named by ``tabbed`` is
    offered as tabs, too, where there is room. ``is_bare``: without the menu,
    to be shown in another program's frame. ``how``: paragraphs that say how what is shown is computed. ``twin``: the
    address in the API that has the same as JSON, None where nothing was asked yet. ``table``: what is also there as
    CSV. ``tab``: what it is called beside its ``sisters``, pages of one entry of the menu, of which the first has the
    ``group``. ``within``: the path of the page whose entry stands for this one. ``build`` makes the page.
    """

    path: str
    title: str
    group: Group = ""
    role: Role
    how: tuple[str, ...]
    build: Callable[[Sight, Any], Awaitable[None]]
    filters: type[msgspec.Struct] = NoFilters
    choices: Mapping[str, Choices] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    silent: tuple[str, ...] = ()
    days: tuple[str, ...] = ()
    folded: tuple[str, ...] = ()
    fold: str = "More"
    tabbed: str = ""
    is_bare: bool = False
    tab: str = ""
    within: str = ""
    twin: Callable[[Any], str | None] | None = None
    table: Callable[[Sight, Any], Awaitable[Table]] | None = None

    def address(self, **filters: Any) -> str:
        """The address of the page with filters; those that have no value are left out.

        >>> async def nothing(sight, filters): ...
        >>> page = Page(path="/case/{case}", title="Case", role="agent", how=(), build=nothing)
        >>> page.address(case="a b", journey="x")
        '/case/a%20b?journey=x'
        """
        return address_of(self.path, filters)

    def read(self, given: Mapping[str, str]) -> msgspec.Struct:
        """The filters that a query names; a value that cannot be is as if it were not there."""
        found: dict[str, Any] = {}
        for one in msgspec.structs.fields(self.filters):
            if one.encode_name in given:
                try:
                    found[one.name] = msgspec.convert(given[one.encode_name], one.type, strict=False)
                except msgspec.ValidationError:
                    continue
        return self.filters(**found)


class Registry:
    """Pages by their paths, in the order in which menus show them."""

    def __init__(self, pages: Sequence[Page]) -> None:
        self._pages = {page.path: page for page in pages}
        assert len(self._pages) == len(pages), "two pages have the same path"
        self._patterns = [(_pattern(page.path), page) for page in pages]

    def __iter__(self) -> Iterator[Page]:
        return iter(self._pages.values())

    def find(self, address: str) -> tuple[Page, dict[str, str]] | None:
        """The page that an address belongs to, with its parts in braces; one that is written so goes first."""
        if address in self._pages:
            return self._pages[address], {}
        found = ((page, pattern.fullmatch(address)) for pattern, page in self._patterns)
        return next(((page, parts.groupdict()) for page, parts in found if parts), None)

    def seen_by(self, caller: Caller) -> list[Page]:
        """Those that somebody may see."""
        return [page for page in self if caller.may(page.role)]

    def sisters(self, page: Page) -> list[Page]:
        """The pages that stand beside each other as tabs with a page, itself among them; none for one without."""
        entry = page.within or page.path
        beside = [one for one in self if one.tab and (one.within or one.path) == entry] if page.tab else []
        return sorted(beside, key=lambda one: bool(one.within))

    def has(self, path: str) -> bool:
        """Whether an address belongs to a page, parts in braces filled in."""
        return path in self._pages or any(pattern.fullmatch(path) for pattern, _ in self._patterns)


def address_of(path: str, filters: Mapping[str, Any]) -> str:
    """A path with its parts in braces filled in, and the rest as a query."""
    left = {name: written(value) for name, value in filters.items() if value is not False and value not in (None, "")}
    for name in names_in(path):
        part = quote(left.pop(name, ""), safe="")
        path = path.replace(f"{{{name}}}", part).replace(f"{{{name}:path}}", part)
    return path + (f"?{urlencode(left)}" if left else "")


def names_in(path: str) -> list[str]:
    """The filters that are parts of a path.

    >>> names_in("/panel/{customer:path}")
    ['customer']
    """
    return re.findall(r"\{(\w+)", path)


def written(value: Any) -> str:
    """The value of a filter as an address has it; nothing for None.

    >>> written(50.0), written(True), written(None)
    ('50', 'true', '')
    """
    if value is None:
        return ""
    return "true" if value is True else f"{value:g}" if isinstance(value, float) else str(value)


def _pattern(path: str) -> re.Pattern[str]:
    """What the addresses of a path look like: ``{name}`` is one part of it, ``{name:path}`` any number of them."""
    parts = re.split(r"(\{\w+(?::path)?\})", path)
    written = (_part(part) if part.startswith("{") else re.escape(part) for part in parts)
    return re.compile("".join(written), re.DOTALL)


def _part(braced: str) -> str:
    name, _, kind = braced[1:-1].partition(":")
    return f"(?P<{name}>{'.+' if kind else '[^/]+'})"
