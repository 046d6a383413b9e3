"""Who reads a page: what they ask is answered by the functions of the API, in their role as it is at that moment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypeVar, get_args, get_origin, get_type_hints

from fastapi.params import Depends
from pydantic import TypeAdapter, ValidationError
from starlette.concurrency import run_in_threadpool

from truenorth.console.writing import Writing
from truenorth.server.api.bounds import DEFAULT_PAGE
from truenorth.server.api.context import Context
from truenorth.server.api.paging import Asked
from truenorth.server.auth import Caller, Needs
from truenorth.server.receiving import Turned
from truenorth.store.rows import Role

if TYPE_CHECKING:
    from truenorth.console.following import Followers

Answer = TypeVar("Answer")
Ask = Callable[..., Any]
"""Asks a function of the API, as `Reader.ask` does, in the thread that calls it."""


class Asking(NamedTuple):
    """What a function of the API wants: the role it needs, and what each of its arguments has to be."""

    role: Role
    adapters: dict[str, TypeAdapter[Any]]
    wants_page: bool


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Somebody who has a page open. ``who_now`` says who that is now, None where the session has ended meanwhile.

    ``followers``: the pages of this process that follow the signals.
    """

    served: Context
    caller: Caller
    who_now: Callable[[], Caller | None]
    writing: Writing
    followers: Followers

    async def ask(self, answer: Callable[..., Answer], /, **given: Any) -> Answer:
        """What a function of the API answers. `Turned` where it turns away: the session has ended, the role is small.

        ``given``: its arguments by name, checked as those of a request are; a list begins at its beginning unless
        ``page`` says otherwise. It runs in a thread of its own.
        """
        return await self.ask_together(lambda ask: ask(answer, **given))

    async def ask_together(self, read: Callable[[Ask], Answer]) -> Answer:
        """What ``read`` makes of several answers; it gets what asks, and runs in one thread from the first to the last.

        Each thread that is waited for costs a turn of a busy machine. Who reads is looked up once.
        """
        return await run_in_threadpool(self._together, read)

    def _together(self, read: Callable[[Ask], Answer]) -> Answer:
        caller = self.who_now()
        if caller is None:
            raise Turned(401, "signed_out", "you are signed out; sign in again")
        return read(partial(self._answer, caller))

    def _answer(self, caller: Caller, answer: Callable[..., Answer], /, **given: Any) -> Answer:
        asking = asking_of(answer)
        Needs(asking.role).of(caller)
        checked = {name: _checked(asking, name, value) for name, value in given.items()}
        if asking.wants_page:
            checked.setdefault("page", Asked(None, DEFAULT_PAGE))
        return answer(served=self.served, caller=caller, **checked)


@lru_cache(1_000)
def asking_of(answer: Callable[..., Any]) -> Asking:
    """What a function of the API wants, as its annotations say."""
    hints = get_type_hints(answer, include_extras=True)
    role = next((needs.role for hint in hints.values() if isinstance(needs := _dependency(hint), Needs)), None)
    assert role is not None, f"{answer.__name__} does not say which role it needs"
    others = {name: hint for name, hint in hints.items() if name != "return" and _dependency(hint) is None}
    adapters = {name: TypeAdapter[Any](hint) for name, hint in others.items()}
    return Asking(role, adapters, wants_page="page" in hints)


def _dependency(hint: Any) -> Any:
    if get_origin(hint) is not Annotated:
        return None
    return next((one.dependency for one in get_args(hint)[1:] if isinstance(one, Depends)), None)


def _checked(asking: Asking, name: str, value: Any) -> Any:
    adapter = asking.adapters.get(name)
    if adapter is None:
        return value
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        said = "; ".join(f"{'.'.join(map(str, one['loc'])) or name}: {one['msg']}" for one in error.errors())
        raise Turned(422, "invalid", said) from None
