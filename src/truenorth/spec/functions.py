"""The few functions that a condition may call, and what each takes and gives."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from truenorth.spec.expressions import Kind


class Function(msgspec.Struct, frozen=True):
    """How a function may be called: what its arguments are, how many, and the kind of its result.

    ``argument`` and ``result`` are None where the kind is that of the arguments, which must agree.
    """

    argument: Kind | None
    result: Kind | None
    n_min: int = 1
    n_max: int = 1
    meaning: str = ""


FUNCTIONS: Mapping[str, Function] = {
    "lower": Function("text", "text", meaning="the text in lower case"),
    "upper": Function("text", "text", meaning="the text in upper case"),
    "length": Function("text", "integer", meaning="number of characters"),
    "abs": Function("number", "number", meaning="the number without its sign"),
    "coalesce": Function(None, None, 2, 10, meaning="the first argument that is not null"),
}
"""Functions by name. A null argument gives null; `coalesce` gives null only where all arguments are."""
