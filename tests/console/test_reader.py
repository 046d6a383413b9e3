"""What pages ask is answered as the API would answer: in the role that it needs, for arguments that fit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute

from server.desk import desk_in
from truenorth.console.following import Followers
from truenorth.console.reader import Reader, asking_of
from truenorth.console.sight import Sight
from truenorth.console.writing import Writing
from truenorth.server.api.cases import list_cases
from truenorth.server.api.routes import SUBJECTS
from truenorth.server.auth import ROLES, Caller
from truenorth.server.receiving import Turned

SECRET = "what nobody else may read"
ANSWERS: list[Callable[..., Any]] = [
    route.endpoint for subject in SUBJECTS for route in subject.ROUTER.routes if isinstance(route, APIRoute)
]


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.__name__)
def test_the_role_is_the_one_that_the_description_tells(answer: Callable[..., Any]) -> None:
    assert f"Role: {asking_of(answer).role}" in (answer.__doc__ or "")


def test_a_reader_is_asked_for_anew_each_time(tmp_path: Path) -> None:
    who: list[Caller | None] = [Caller("ann", "agent")]
    with desk_in(tmp_path) as desk:
        served = desk.app.state.context
        reader = Reader(
            served=served,
            caller=Caller("ann", "admin"),
            who_now=lambda: who[0],
            writing=Writing(),
            followers=Followers(),
        )

        def asked(answer: Callable[..., Any], **given: Any) -> Any:
            return asyncio.run(reader.ask(answer, **given))

        assert len(asked(list_cases, journey="support").items) == 30
        with pytest.raises(Turned, match="journey"):
            asked(list_cases, journey="x" * 2_000)
        for role in ROLES[: ROLES.index("agent")]:
            who[0] = Caller("ann", role)
            with pytest.raises(Turned, match="expected the role agent"):
                asked(list_cases, journey="support")
        who[0] = None
        with pytest.raises(Turned, match="signed out"):
            asked(list_cases, journey="support")


def test_answers_that_are_asked_together_are_given_to_whom_it_was_when_they_were_asked(tmp_path: Path) -> None:
    who: list[Caller | None] = [Caller("ann", "agent")]
    with desk_in(tmp_path) as desk:
        served = desk.app.state.context
        reader = Reader(
            served=served, caller=Caller("ann", "agent"), who_now=who.pop, writing=Writing(), followers=Followers()
        )
        read = reader.ask_together(lambda ask: [ask(list_cases, journey="support").items for _ in range(2)])
        first, second = asyncio.run(read)
        assert first == second
        assert len(first) == 30


def test_who_clicks_is_told_of_a_fault_without_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(Sight, "tell", lambda _self, text, _tone: told.append(text))

    def fails() -> None:
        raise ValueError(SECRET)

    asyncio.run(Sight(*[None] * 3).doing(fails)())  # type: ignore[arg-type]  # nobody is asked
    [words] = told
    assert words.startswith("That is a fault of the program")
