"""How far an export has come, kept where it was written to."""

from __future__ import annotations

import msgspec

from truenorth.spec.problems import Problem, TruenorthError


class Mark(msgspec.Struct, frozen=True):
    """How far an export has come, and how many people had been erased from the store by then."""

    position: int = 0
    n_erasures: int = 0


def continued(mark: Mark, n_erasures: int, name: str) -> Mark:
    """Where to go on. Raises `TruenorthError` where somebody was erased after the last export."""
    if mark.position and mark.n_erasures != n_erasures:
        found = "people were erased from the store since: this copy still holds what was known of them"
        hint = "write it again without them: add --anew"
        raise TruenorthError(
            [Problem(path=name, expected="a copy that is as old as the last erasure", found=found, hint=hint)]
        )
    return Mark(mark.position, n_erasures)
