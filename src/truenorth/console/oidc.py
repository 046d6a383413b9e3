"""Signing in through a provider (OpenID Connect): to come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.middleware import Middleware
from starlette.routing import Route

from truenorth.console.sign_in import Provider


class Oidc:
    """A provider."""

    provider: Provider

    def layers(self) -> Sequence[Middleware]:
        """What stands before the API's door."""
        return ()

    def routes(self, forms: Any) -> list[Route]:
        """Where people are sent to the provider, and where they come back."""
        del forms
        return []
