"""Identities: the plain definition holds in any order, and only what moved is said to have moved."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from truenorth.identity import Identities, Statement, persons

IDS = st.sampled_from(["a", "b", "c", "d", "e", "f", "g"])
STATEMENTS = st.lists(
    st.builds(
        Statement,
        customer=IDS,
        other_id=IDS,
        kind=st.sampled_from(["anonymous", "anonymous", "alias"]),
        time_us=st.integers(0, 3),
        source=st.sampled_from(["s", "t"]),
        id=st.integers(0, 99).map(str),
    ),
    max_size=14,
    unique_by=lambda statement: (statement.source, statement.id),
)


def defined(statements: Sequence[Statement]) -> dict[str, str]:
    """The definition of docs/store.md, word by word: groups by alias; a group without a known id follows its earliest
    anonymous statement; a circle of such groups is one person."""
    told = [one for one in statements if one.customer != one.other_id]
    named = {id for one in statements for id in (one.customer, one.other_id)}  # noqa: A001
    group = {id: {id} for id in named}  # noqa: A001
    for one in told:
        if one.kind == "alias":
            both = group[one.customer] | group[one.other_id]
            group.update(dict.fromkeys(both, both))
    claims = [one for one in told if one.kind == "anonymous"]
    anonymous = {one.other_id for one in claims}

    def person(id: str) -> str:  # noqa: A002
        seen: list[set[str]] = []
        here = group[id]
        while here <= anonymous and here not in seen:
            seen.append(here)
            ours = [one for one in claims if one.other_id in here]
            here = group[min(ours, key=lambda one: (one.time_us, one.source, one.id)).customer]
        if here <= anonymous:
            return min(set().union(*seen[seen.index(here) :]))
        return min(here - anonymous)

    return {id: person(id) for id in named}  # noqa: A001


@given(STATEMENTS)
def test_persons_are_what_the_definition_says(statements: list[Statement]) -> None:
    assert persons(statements) == defined(statements)


@given(STATEMENTS, st.randoms(use_true_random=False))
def test_the_order_of_statements_and_repetitions_change_nothing(statements: list[Statement], random) -> None:
    shuffled = [*statements, *statements[:3]]
    random.shuffle(shuffled)
    assert persons(shuffled) == persons(statements)


@given(STATEMENTS)
def test_each_statement_tells_exactly_whose_person_changed(statements: list[Statement]) -> None:
    identities = Identities()
    for statement in statements:
        before = {id: identities.person(id) for id in "abcdefg"}  # noqa: A001
        changed = identities.state(*statement)
        after = {id: identities.person(id) for id in "abcdefg"}  # noqa: A001
        assert changed == tuple(id for id in "abcdefg" if before[id] != after[id])  # noqa: A001


@given(STATEMENTS)
def test_the_ids_of_a_person_are_those_that_lead_to_them(statements: list[Statement]) -> None:
    identities = Identities()
    for statement in statements:
        identities.state(*statement)
    for id in "abcdefg":  # noqa: A001
        same = tuple(other for other in "abcdefg" if identities.person(other) == identities.person(id))
        assert identities.ids(id) == same


def test_a_shared_browser_does_not_make_two_people_one() -> None:
    told = [
        Statement("ann", "browser", "anonymous", 5, "web", "1"),
        Statement("bob", "browser", "anonymous", 6, "web", "2"),
        Statement("bob", "phone", "anonymous", 7, "web", "3"),
    ]
    assert persons(told) == {"ann": "ann", "bob": "bob", "browser": "ann", "phone": "bob"}


def test_what_an_alias_joins_is_not_moved_by_a_browser() -> None:
    told = [
        Statement("zoe", "cookie", "alias", 5, "web", "1"),
        Statement("bob", "cookie", "anonymous", 1, "web", "2"),
        Statement("zoe@example.org", "zoe", "alias", 9, "crm", "1"),
    ]
    assert persons(told) == {"bob": "bob", "cookie": "zoe", "zoe": "zoe", "zoe@example.org": "zoe"}


def test_many_statements_about_one_id_take_no_more_than_each_on_its_own() -> None:
    identities = Identities()
    for n in range(50_000):  # each would look at all before it if what follows the customer were gathered
        assert identities.state("bot", f"visit-{n}", "anonymous", n, "web", str(n)) == (f"visit-{n}",)
    assert len(identities.ids("visit-7")) == 50_001
