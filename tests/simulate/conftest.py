"""Worlds that several tests look at; small, and lived once."""

from __future__ import annotations

import pytest

from truenorth.simulate import Company, Lived, World


@pytest.fixture(scope="session")
def world() -> World:
    return World(Company(), seed=1)


@pytest.fixture(scope="session")
def lived(world: World) -> Lived:
    return world.lived
