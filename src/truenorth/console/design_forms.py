"""The forms of the journey editor: the six questions of the canvas, and promises kind by kind."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from truenorth.console.fields import Field, Select, button
from truenorth.console.promise_form import KINDS, promise_of, said
from truenorth.console.registry import Choice
from truenorth.console.sight import Sight
from truenorth.console.tables import Act, Column, Row, Table, TableElement
from truenorth.console.words import Words, subheading
from truenorth.server.writing_drafts import canvas_of, with_canvas, with_promise, without_promise
from truenorth.spec.load import load_journey
from truenorth.spec.model import PromiseKind
from truenorth.spec.problems import Problem, TruenorthError

QUESTIONS = (
    ("customer", "1. Who is the customer?", "who provides the revenue"),
    ("expects", "2. What do they expect today?", "told as it is"),
    ("believes", "3. What process do they think they are in?", "in their words, not in ours"),
    ("helps", "4a. What do we do now that helps their success?", "one a line"),
    ("harms", "4b. And what harms it?", "one a line"),
    ("outcome", "5. What has to be true for them in the end?", "one statement a line, with its number"),
    ("one_liner", "6. In one line?", "a few words that everybody remembers"),
)
LISTS = ("helps", "harms", "outcome")
REMOVE = Act("remove", "Remove", "Remove this promise from the draft?")

TextOf = Callable[[], str]
Put = Callable[[str], Awaitable[None]]


class CanvasForm:
    """The six questions in their order; their answers go into the draft when they are put there."""

    def __init__(self, sight: Sight, text_of: TextOf, put: Put) -> None:
        self._text_of, self._put = text_of, put
        self._fields: dict[str, Field] = {}
        with Words("div", "", "tn-card tn-questions"):
            for key, words, hint in QUESTIONS:
                self._fields[key] = Field(words, "", kind="long" if key in LISTS else "text", hint=hint, wide=True)
            button("Put the answers into the file", sight.doing(self._write))

    def read(self, text: str) -> None:
        """Show what the file answers; what cannot be read leaves the fields as they are."""
        try:
            canvas = canvas_of(text)
        except TruenorthError:
            return
        affects = canvas.get("affects")
        answers = {**canvas, **(affects if isinstance(affects, Mapping) else {})}
        for key, field in self._fields.items():
            written = _written(answers.get(key))
            if field.value != written:
                field.set_value(written)

    async def _write(self) -> None:
        said = {key: str(field.value or "").strip() for key, field in self._fields.items()}
        lists = {key: [line.strip() for line in said[key].splitlines() if line.strip()] for key in LISTS}
        affects = {key: lists[key] for key in ("helps", "harms") if lists[key]}
        answers: dict[str, Any] = {
            "customer": said["customer"],
            "expects": said["expects"],
            "believes": said["believes"],
            "affects": affects,
            "outcome": lists["outcome"],
            "one_liner": said["one_liner"],
        }
        await self._put(with_canvas(self._text_of(), answers))


class PromiseForm:
    """The promises of the draft, and a form for one more."""

    def __init__(self, sight: Sight, text_of: TextOf, put: Put) -> None:
        self._sight, self._text_of, self._put = sight, text_of, put
        self._names: list[str] = []
        self._table = TableElement(_table([]), sight.writing, sight.doing(self._act))
        with Words("div", "", "tn-card"):
            subheading("One more promise")
            kinds = [Choice(kind.value, one.words) for kind, one in KINDS.items()]
            with Words("div", "", "tn-form"):
                self._kind = Select("What kind", kinds)
                self._name = Field("Name", "", hint="such as called_back")
            self._keys = Words("div", "", "tn-form")
            self._kind.on_value_change(self._ask)
            button("Put it into the file", sight.doing(self._write))
        self._fields: dict[str, Field] = {}
        self._ask()

    def read(self, text: str) -> None:
        """Show the promises of the file, where it can be read."""
        journey = load_journey(text.encode("utf-8", "replace")).journey
        if journey is None:
            return
        self._names = [one.name for one in journey.promises]
        self._table.show(_table([(one.name, said(one)) for one in journey.promises]))

    def _ask(self) -> None:
        """The fields of the kind that was chosen."""
        self._keys.clear()
        with self._keys:
            self._fields = {
                one.key: Field(one.words, "", hint=one.hint) for one in KINDS[PromiseKind(self._kind.value)].keys
            }

    async def _write(self) -> None:
        given = {key: str(field.value or "") for key, field in self._fields.items()}
        promise = promise_of(PromiseKind(self._kind.value), str(self._name.value or ""), given)
        before = self._text_of()
        text = with_promise(before, promise)
        wrong = _problems_of_promises(text) - _problems_of_promises(before)
        if wrong:
            raise TruenorthError(sorted(wrong, key=lambda one: one.path))
        await self._put(text)
        self._name.set_value("")
        self._ask()

    async def _act(self, _name: str, number: int) -> None:
        await self._put(without_promise(self._text_of(), self._names[number]))


def _problems_of_promises(text: str) -> set[Problem]:
    """What is wrong with the promises of a file, by key: a line of the form has no number."""
    errors = load_journey(text.encode("utf-8", "replace")).errors
    return {
        msgspec.structs.replace(one, path=one.path.rpartition(".")[2], line=None)
        for one in errors
        if one.path.startswith("$.promises[")
    }


def _table(promises: list[tuple[str, str]]) -> Table:
    columns = (Column("name", "Promise"), Column("says", "What is promised"))
    rows = [Row(one, acts=(REMOVE,)) for one in promises]
    return Table(caption="Promises of the draft", columns=columns, rows=rows, empty="The draft promises nothing yet.")


def _written(answer: Any) -> str:
    if isinstance(answer, str):
        return answer
    if isinstance(answer, list):
        return "\n".join(str(one) for one in answer)
    return "" if answer is None or isinstance(answer, Mapping) else str(answer)
