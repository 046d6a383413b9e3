"""Forms change only what they are about: everything else of a file stays as people wrote it."""

from __future__ import annotations

from pathlib import Path

import pytest

from truenorth.console.promise_form import KINDS, promise_of
from truenorth.server.api.drafts import lines_that_differ
from truenorth.server.writing_drafts import NEW, canvas_of, with_canvas, with_promise, without_promise
from truenorth.spec.load import load_journey
from truenorth.spec.model import PromiseKind
from truenorth.spec.problems import TruenorthError

EXAMPLES = Path(__file__).parents[2] / "examples"
FILES = [*EXAMPLES.glob("*.yaml"), *EXAMPLES.glob("company/*.yaml"), EXAMPLES / "support" / "journey.yaml"]
GIVEN = {
    "after": "type = 'A, b'", "expect": "moment", "within": "4h", "unless": "", "at_least_every": "2d",
    "never": "feeling < -0.5", "at_most": "3", "of": "handover", "total": "cost", "where": "", "before": "type = 'C'",
    "require": "type = 'D'", "calendar": "",
}  # fmt: skip


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_one_more_promise_is_one_more_line_and_goes_again(path: Path) -> None:
    text = path.read_text()
    more = with_promise(text, {"name": "brand_new", "never": "type = 'x, {y}'"})
    changed = [line for line in lines_that_differ(text, more) if line[0] in "+-"]
    assert [line[0] for line in changed] == ["+"]
    assert lines_that_differ(text, without_promise(more, "brand_new")) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_same_answers_change_nothing(path: Path) -> None:
    text = path.read_text()
    assert lines_that_differ(text, with_canvas(text, dict(canvas_of(text)))) == []


@pytest.mark.parametrize("kind", PromiseKind)
def test_each_kind_of_promise_is_read_as_that_kind(kind: PromiseKind) -> None:
    text = with_promise(NEW, promise_of(kind, "brand_new", GIVEN))
    loaded = load_journey(text.encode())
    assert loaded.journey is not None, loaded.errors
    assert [one.kind for one in loaded.journey.promises] == [kind]


@pytest.mark.parametrize("kind", PromiseKind)
def test_all_that_is_missing_is_told_at_once(kind: PromiseKind) -> None:
    with pytest.raises(TruenorthError) as refused:
        promise_of(kind, " ", {})
    assert len(refused.value.problems) == 1 + sum(one.is_needed for one in KINDS[kind].keys)


def test_a_promise_of_the_same_name_is_replaced() -> None:
    text = with_promise("promises:\n- {name: a, never: type = 'x'}\n", {"name": "a", "never": "type = 'y'"})
    assert text == "promises:\n- {name: a, never: type = 'y'}\n"


def test_what_is_no_yaml_is_refused_in_words() -> None:
    with pytest.raises(TruenorthError, match="expected YAML"):
        with_canvas("a: [", {"customer": "x"})
