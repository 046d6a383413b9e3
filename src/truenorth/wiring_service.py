"""The composition of the live service: a URL and folders in, a store and an application out."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from fastapi import FastAPI

from truenorth.server.auth import only_loopback
from truenorth.server.ingest.mapping_file import load_mapping
from truenorth.server.ingest.webhook import Hook
from truenorth.server.runner import now_us, scaled_clock
from truenorth.server.service import Settings, make_service
from truenorth.spec.durations import parse_duration
from truenorth.spec.load import load_journey
from truenorth.spec.problems import InvalidJourney, Problem, TruenorthError
from truenorth.store.opening import Store, open_store
from truenorth.wiring import read_journey_file

HOOK_SECRET = "TRUENORTH_HOOK_"  # noqa: S105  # the beginning of a variable's name
"""The secret of the webhook in ``help-desk.yaml`` is in the variable TRUENORTH_HOOK_HELP_DESK."""


class Service(msgspec.Struct, frozen=True):
    """A service that is ready to run, and the secrets that were made for it: they are shown once."""

    app: FastAPI
    journeys: tuple[str, ...]
    admin_token: str | None = None
    write_key: str | None = None


def settings_of(host: str, port: int, *, is_open: bool, runs: bool, lateness: str) -> Settings:
    """Settings as they are asked for; `TruenorthError` where they cannot be had."""
    if is_open:
        only_loopback(host)
    try:
        lateness_us = parse_duration(lateness)
    except ValueError as error:
        problem = Problem(path="--lateness", expected="a duration such as 5s", found=repr(lateness), hint=str(error))
        raise TruenorthError([problem]) from None
    return Settings(host=host, port=port, is_open=is_open, runs=runs, lateness_us=lateness_us)


@contextmanager
def open_service(
    url: str,
    settings: Settings,
    *,
    journeys: Path | None = None,
    hooks: Path | None = None,
    speed: float = 1.0,
) -> Iterator[Service]:
    """The service of a store.

    ``journeys``: a folder whose journey files are published. ``hooks``: a folder of webhook mappings. ``speed``: how
    much faster than the wall clock time passes. An empty store gets a write key, and an administrator's token unless it
    is open to everybody. `TruenorthError` with all problems where something of it cannot be used.
    """
    clock = now_us if speed == 1 else scaled_clock(speed, now_us())
    texts = list(journey_texts(journeys)) if journeys else []
    taken = hooks_of(hooks) if hooks else {}
    with open_store(url) as store:
        for name, text in texts:
            store.journeys.publish(name, text, now_us=clock())
        live = tuple(text.name for text in store.journeys.live())
        app = make_service(store, settings, clock, taken)
        yield Service(app, live, *_first_secrets(store, settings, clock))


def journey_texts(folder: Path) -> Iterator[tuple[str, str]]:
    """The name and the text of each journey file of a folder; InvalidJourney with the problems of all of them."""
    problems: list[Problem] = []
    for path in _files(folder, "journey files"):
        source = read_journey_file(path)
        loaded = load_journey(source, name=str(path))
        if loaded.journey is None:
            problems += [msgspec.structs.replace(one, path=f"{path}: {one.path}") for one in loaded.errors]
        else:
            yield loaded.journey.name, source.decode()
    if problems:
        raise InvalidJourney(problems)


def hooks_of(folder: Path) -> dict[str, Hook]:
    """The webhooks of a folder of mapping files, by the names that they give themselves; all problems at once."""
    found: dict[str, Hook] = {}
    problems: list[Problem] = []
    for path in _files(folder, "mapping files of webhooks"):
        loaded = load_mapping(path.read_bytes())
        problems += [msgspec.structs.replace(one, path=f"{path}: {one.path}") for one in loaded.problems]
        variable = HOOK_SECRET + path.stem.upper().replace("-", "_")
        secret = os.environ.get(variable, "").encode()
        if loaded.mapping is not None and loaded.mapping.signature is not None and not secret:
            hint = f"set the variable {variable} to what the sender signs with"
            problems.append(Problem(path=str(path), expected="the secret of its signature", found="none", hint=hint))
        elif loaded.mapping is not None:
            found[loaded.mapping.name] = Hook(loaded.mapping, secret)
    if problems:
        raise TruenorthError(problems)
    return found


def _files(folder: Path, what: str) -> list[Path]:
    files = sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")])
    if not files:
        hint = "name a folder that has *.yaml files"
        raise TruenorthError([Problem(path=str(folder), expected=what, found="none", hint=hint)])
    return files


def _first_secrets(store: Store, settings: Settings, clock: Callable[[], int]) -> tuple[str | None, str | None]:
    """A token and a write key where nobody could do anything without them."""
    token, key = None, None
    has_admin = any(token.role == "admin" and token.revoked_us is None for token in store.access.tokens())
    if not settings.is_open and not has_admin:
        token = store.access.add_token("first administrator", "admin", now_us=clock())
    if all(key.revoked_us is not None for key in store.access.write_keys()):
        key = store.access.add_write_key("default", now_us=clock())
    return token, key
