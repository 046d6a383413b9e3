"""A journey file changed by a form: comments and order stay as people wrote them, but for what is changed."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError

from truenorth.spec.problems import Problem, TruenorthError

WIDTH = 4_096
"""Lines are not broken anew."""
SET_IN = re.compile(r"^( *)[^\s#-][^\n]*:[ ]*\n\1  - ", re.MULTILINE)
"""A list that stands further right than its key."""
NEW = "truenorth: 1\njourney: new_journey\ntitle: A new journey\n"
"""Where a journey begins that nobody has written yet."""


def canvas_of(text: str) -> Mapping[str, Any]:
    """The answers in a file, as far as it has any; `TruenorthError` where it is no YAML.

    >>> dict(canvas_of("canvas: {customer: People who move}"))
    {'customer': 'People who move'}
    """
    canvas = _document(text).get("canvas")
    return canvas if isinstance(canvas, Mapping) else {}


def with_canvas(text: str, answers: Mapping[str, str | Sequence[str] | Mapping[str, Sequence[str]]]) -> str:
    """The file with other answers to the questions of the canvas; one that is empty goes.

    >>> print(with_canvas("journey: a  # ours\\n", {"customer": "All", "expects": "", "outcome": ["In 14 days"]}))
    journey: a  # ours
    canvas:
      customer: All
      outcome:
      - In 14 days
    <BLANKLINE>
    """
    document = _document(text)
    canvas = document.get("canvas")
    if not isinstance(canvas, CommentedMap) or not canvas:
        canvas = document["canvas"] = CommentedMap()
    for key, answer in answers.items():
        if answer:
            if canvas.get(key) != answer:
                canvas[key] = answer
        else:
            canvas.pop(key, None)
    return _written(document, text)


def with_promise(text: str, promise: Mapping[str, str | float]) -> str:
    """The file with one more promise at the end of its list, or another one of the same name in its place.

    >>> print(with_promise("promises:\\n- {name: a, never: type = 'x'}\\n", {"name": "b", "never": "type = 'y'"}))
    promises:
    - {name: a, never: type = 'x'}
    - {name: b, never: type = 'y'}
    <BLANKLINE>
    """
    document = _document(text)
    row = CommentedMap(promise)
    row.fa.set_flow_style()
    promises = _promises(document)
    place = next((n for n, one in enumerate(promises) if _name(one) == promise.get("name")), None)
    if place is None:
        promises.append(row)
    else:
        promises[place] = row
    return _written(document, text)


def without_promise(text: str, name: str) -> str:
    """The file without the promise of a name.

    >>> print(without_promise("promises:\\n- {name: a, never: type = 'x'}\\n- {name: b, never: type = 'y'}\\n", "a"))
    promises:
    - {name: b, never: type = 'y'}
    <BLANKLINE>
    """
    document = _document(text)
    promises = _promises(document)
    for number in reversed([n for n, one in enumerate(promises) if _name(one) == name]):
        del promises[number]
    return _written(document, text)


def _promises(document: CommentedMap) -> Any:
    promises = document.get("promises")
    if isinstance(promises, CommentedSeq) and promises:
        return promises
    document["promises"] = CommentedSeq()
    return document["promises"]


def _name(promise: Any) -> Any:
    return promise.get("name") if isinstance(promise, Mapping) else None


def _document(text: str) -> CommentedMap:
    try:
        found = _yaml().load(text)
    except (YAMLError, ValueError) as error:
        said = str(error).splitlines()[0]
        hint = "put the file right first; its problems are listed below it"
        raise TruenorthError([Problem(path="file", expected="YAML", found=said, hint=hint)]) from None
    return found if isinstance(found, CommentedMap) else CommentedMap()


def _yaml() -> YAML:
    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = WIDTH
    return yaml


def _written(document: CommentedMap, before: str) -> str:
    """The document as text, its lists set in as they were."""
    yaml = _yaml()
    if SET_IN.search(before):
        yaml.indent(mapping=2, sequence=4, offset=2)
    out = io.StringIO()
    yaml.dump(document, out)
    return out.getvalue()
