"""Methods are told apart by what they expect, and looked up once."""

from __future__ import annotations

import inspect

import pytest
from nicegui import helpers
from nicegui.observables import ObservableList

from truenorth.console.handlers import keep_signatures


class Heard:
    """Handlers of both kinds."""

    def nothing(self, *rest: object, other: int = 0) -> None:
        """Expects nothing."""

    def one(self, event: object) -> None:
        """Expects one argument."""


def test_a_method_expects_what_its_signature_says_and_is_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    keep_signatures()
    assert helpers.expects_arguments(Heard().one)
    assert not helpers.expects_arguments(Heard().nothing)
    assert helpers.expects_arguments(lambda event: event)
    assert not helpers.expects_arguments(lambda: None)

    def looked_up_again(*_: object) -> inspect.Signature:
        raise AssertionError("a signature was looked up again")

    monkeypatch.setattr("nicegui.helpers.functions.signature", looked_up_again)
    assert helpers.expects_arguments(Heard().one)
    assert not helpers.expects_arguments(Heard().nothing)
    told = ObservableList(on_change=Heard().nothing)  # as an element does it
    told.append(1)
