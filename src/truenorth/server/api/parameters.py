"""Parameters in the query of a request: one that a page does not have is an error, not silently left out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from inspect import isclass
from typing import Any

from fastapi import Request
from fastapi.dependencies.models import Dependant
from pydantic import BaseModel

from truenorth.spec.problems import Problem, TruenorthError, did_you_mean


def parameters_of(dependant: Dependant) -> frozenset[str]:
    """The names that the query of an endpoint may have, by all that the endpoint depends on."""
    names = {name for one in dependant.query_params for name in _names(one.alias, one.field_info.annotation)}
    return frozenset(names).union(*map(parameters_of, dependant.dependencies))


def _names(alias: str, annotation: Any) -> Collection[str]:
    """The name of a parameter; of a model that stands for several, theirs."""
    if isclass(annotation) and issubclass(annotation, BaseModel):
        return [field.alias or name for name, field in annotation.model_fields.items()]
    return [alias]


def only(known: Mapping[Any, frozenset[str]]) -> Callable[[Request], None]:
    """A dependency that turns away requests with a parameter that their endpoint does not have.

    ``known`` has the names by endpoint.
    """

    def check(request: Request) -> None:
        names = known.get(request.scope.get("endpoint"))
        unknown = sorted(set(request.query_params) - names) if names is not None else []
        if names is not None and unknown:
            raise TruenorthError([_problem(name, sorted(names)) for name in unknown])

    return check


def _problem(name: str, known: list[str]) -> Problem:
    shown = name.encode("utf-8", "replace").decode()
    expected = f"a parameter of this page: {', '.join(known) or 'it has none'}"
    hint = did_you_mean(name, known) or "leave it out"
    return Problem(path=f"query.{shown}", expected=expected, found=shown, hint=hint)
