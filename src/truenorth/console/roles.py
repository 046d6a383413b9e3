"""Roles as people call them. The API's roles decide: each may what those before it may."""

from __future__ import annotations

from truenorth.store.rows import Role

SHOWN: dict[Role, str] = {"viewer": "leader", "agent": "agent", "analyst": "analyst", "admin": "admin"}
"""A leader sees everything added up and nobody's name: the API calls this role a viewer."""

HOME: dict[Role, str] = {"viewer": "/true-north", "agent": "/now", "analyst": "/true-north", "admin": "/true-north"}
"""Where each begins; the first page that they may see where there is none of that path."""


def named(role: Role) -> str:
    """The name of a role on pages.

    >>> named("viewer")
    'leader'
    """
    return SHOWN[role]
