"""Which ids are one person, from what events state, whatever the order in which they arrive.

An event can state another id of its customer in two ways. *Alias*: both ids are the same person. *Anonymous*: the
other id was met before its owner was known (a browser, a device). Such an id belongs to one person only, the customer
of its earliest statement; a browser that two people share does not make them one. `docs/store.md` says it in full.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

Kind = Literal["anonymous", "alias"]


class Statement(NamedTuple):
    """What one event says: ``other_id`` is another id of ``customer``. The rest says which statement is the earlier."""

    customer: str
    other_id: str
    kind: Kind
    time_us: int
    source: str
    id: str


class _Claim(NamedTuple):
    """An anonymous statement about a group, ordered by age; the customer decides where one event makes two."""

    time_us: int
    source: str
    id: str
    customer: str


class _Group:
    """Ids that aliases join, and the earliest claim on the anonymous ones among them."""

    __slots__ = ("claim", "first_known", "members")

    def __init__(self, id: str) -> None:  # noqa: A002  # the field's name
        self.members = [id]
        self.first_known: str | None = id
        self.claim: _Claim | None = None


class Identities:
    """The person of each id, kept up to date statement by statement.

    >>> people = Identities()
    >>> people.state("ann", "browser-1", "anonymous", 5, "web", "e1")
    ('browser-1',)
    >>> people.state("bob", "browser-1", "anonymous", 9, "web", "e2")
    ()
    >>> people.person("browser-1")
    'ann'
    >>> people.state("bob", "browser-1", "anonymous", 1, "web", "e0")  # an earlier one that comes late
    ('browser-1',)
    >>> people.ids("bob")
    ('bob', 'browser-1')
    """

    def __init__(self) -> None:
        self._groups: dict[str, _Group] = {}
        self._anonymous: set[str] = set()
        self._claimed_by: dict[str, set[str]] = {}
        """By customer: an id of each group that is claimed by them."""

    def state(self, customer: str, other_id: str, kind: Kind, time_us: int, source: str, id: str) -> tuple[str, ...]:  # noqa: A002
        """Take one statement; the ids, sorted, whose person is another one now. A repetition changes nothing."""
        if customer == other_id:
            return ()
        if kind == "alias":
            return self._join(customer, other_id)
        return self._claim(other_id, _Claim(time_us, source, id, customer))

    def person(self, id: str) -> str:  # noqa: A002  # the field's name
        """The id that stands for the person of an id; for an id that no statement names, that id.

        Of all ids of the person it is the smallest known one in the order of code points, or the smallest anonymous one
        where none is known.
        """
        group = self._groups.get(id)
        return id if group is None else self._person(group)

    def ids(self, id: str) -> tuple[str, ...]:  # noqa: A002  # the field's name
        """All ids of the person of an id, sorted; at least the id itself."""
        group = self._groups.get(self.person(id))
        return (id,) if group is None else tuple(sorted(self._followers(group.members)))

    def _claim(self, other_id: str, claim: _Claim) -> tuple[str, ...]:
        group = self._group(other_id)
        is_news = other_id not in self._anonymous
        if not is_news and group.claim is not None and claim >= group.claim:
            return ()
        before = self._persons(self._followers(group.members))
        if is_news:
            self._anonymous.add(other_id)
            known = (member for member in group.members if member not in self._anonymous)
            group.first_known = min(known, default=None)
        if group.claim is None or claim < group.claim:
            self._set_claim(group, claim)
        return self._changed(before)

    def _join(self, one: str, other: str) -> tuple[str, ...]:
        larger, smaller = self._group(one), self._group(other)
        if larger is smaller:
            return ()
        if len(larger.members) < len(smaller.members):
            larger, smaller = smaller, larger
        known = [group.first_known for group in (larger, smaller) if group.first_known is not None]
        concerned = self._followers(smaller.members)
        if not known or min(known) != self._person(larger):
            concerned |= self._followers(larger.members)
        before = self._persons(concerned)
        self._merge(larger, smaller)
        return self._changed(before)

    def _persons(self, ids: Iterable[str]) -> dict[str, str]:
        return {id: self.person(id) for id in ids}  # noqa: A001  # the field's name

    def _changed(self, before: Mapping[str, str]) -> tuple[str, ...]:
        """The ids whose person is another one than before, sorted."""
        return tuple(sorted(id for id, person in before.items() if self.person(id) != person))  # noqa: A001

    def _merge(self, larger: _Group, smaller: _Group) -> None:
        claims = [group.claim for group in (larger, smaller) if group.claim is not None]
        known = [group.first_known for group in (larger, smaller) if group.first_known is not None]
        self._set_claim(smaller, None)
        larger.members += smaller.members
        for member in smaller.members:
            self._groups[member] = larger
        larger.first_known = min(known, default=None)
        self._set_claim(larger, min(claims, default=None))

    def _person(self, group: _Group) -> str:
        path: list[_Group] = []
        while group.first_known is None:
            if group in path:  # each is said to be the next one's
                return min(min(one.members) for one in path[path.index(group) :])
            path.append(group)
            assert group.claim is not None, "an id is anonymous because a statement says so"
            group = self._group(group.claim.customer)
        return group.first_known

    def _followers(self, ids: list[str]) -> set[str]:
        """Some ids of one group, and all whose person depends on theirs."""
        found, todo = set(ids), list(ids)
        while todo:
            for claimed in self._claimed_by.get(todo.pop(), ()):
                group = self._groups[claimed]
                if group.first_known is None and claimed not in found:
                    found.update(group.members)
                    todo += group.members
        return found

    def _group(self, id: str) -> _Group:  # noqa: A002  # the field's name
        group = self._groups.get(id)
        if group is None:
            group = self._groups[id] = _Group(id)
        return group

    def _set_claim(self, group: _Group, claim: _Claim | None) -> None:
        """A group is listed at its claimant by its first member, which stays the first."""
        if group.claim is not None:
            self._claimed_by[group.claim.customer].discard(group.members[0])
        group.claim = claim
        if claim is not None:
            self._claimed_by.setdefault(claim.customer, set()).add(group.members[0])


def persons(statements: Iterable[Statement]) -> dict[str, str]:
    """The person of every id that some statements name; their order changes nothing.

    >>> persons([Statement("ann", "ann@example.org", "alias", 0, "crm", "1")])
    {'ann': 'ann', 'ann@example.org': 'ann'}
    """
    identities = Identities()
    named: set[str] = set()
    for statement in statements:
        identities.state(*statement)
        named |= {statement.customer, statement.other_id}
    return {id: identities.person(id) for id in sorted(named)}  # noqa: A001  # the field's name
