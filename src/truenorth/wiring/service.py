"""The composition of the live service: a URL and folders in, a store and an application out."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path

import msgspec
from fastapi import FastAPI

from truenorth.server.api.bounds import Bounds
from truenorth.server.api.flags import replayed_case
from truenorth.server.ingest.mapping_file import load_mapping
from truenorth.server.ingest.webhook import Hook
from truenorth.server.insight_making import answer_questions
from truenorth.server.runner import LATENESS_US, Runner, now_us, scaled_clock
from truenorth.server.runner_process import run_alone, run_linked, runner_status
from truenorth.server.service import Settings, configure_logs, make_service
from truenorth.spec.durations import duration_of_option, write_duration
from truenorth.spec.load import load_journey, parse_journey
from truenorth.spec.problems import InvalidJourney, Problem, TruenorthError
from truenorth.store.leadership import FORESEER
from truenorth.store.opening import Store, open_store
from truenorth.wiring.console import first_link, make_console
from truenorth.wiring.journey import read_journey_file
from truenorth.wiring.learning import can_learn, check_can_foresee, check_can_serve

_PROGRAM = (sys.executable, "-c", "from truenorth.cli.app import main; main()")
SMALLEST = "{truenorth: 1, journey: smallest, need: type = 'a', outcome: {achieved: type = 'b'}}"
"""A journey without a promise."""
HOOK_SECRET = "TRUENORTH_HOOK_"  # noqa: S105  # the beginning of a variable's name
"""The secret of the webhook in ``help-desk.yaml`` is in the variable TRUENORTH_HOOK_HELP_DESK."""


class Service(msgspec.Struct, frozen=True):
    """A service that is ready to run, and the secrets that were made for it: they are shown once."""

    app: FastAPI
    journeys: tuple[str, ...]
    admin_token: str | None = None
    write_key: str | None = None
    has_console: bool = False
    first_link: str | None = None
    """The path of the link that makes the first administrator's account."""


class Pace(msgspec.Struct, frozen=True):
    """How time passes for a service: how long the watermark waits, and how fast the clock runs since an instant."""

    lateness_us: int = LATENESS_US
    speed: float = 1.0
    since_us: int = 0

    @property
    def clock(self) -> Callable[[], int]:
        """The clock."""
        return now_us if self.speed == 1 else scaled_clock(self.speed, self.since_us)


def pace_of(lateness: str, speed: float = 1.0, since_us: int | None = None) -> Pace:
    """The pace that is asked for, its clock right at ``since_us`` (now); `TruenorthError` for no duration."""
    return Pace(duration_of_option("--lateness", lateness), speed, now_us() if since_us is None else since_us)


def runner_command(pace: Pace) -> tuple[str, ...]:
    """The command that runs a runner beside this process; it finds the store in the variable TRUENORTH_DB."""
    return (*_PROGRAM, "runner", *_options(pace))


def _options(pace: Pace) -> tuple[str, ...]:
    lateness = write_duration(pace.lateness_us)
    return ("--linked", "--lateness", lateness, "--speed", str(pace.speed), "--since", str(pace.since_us))


def foreseer_command(pace: Pace) -> tuple[str, ...]:
    """The command that keeps risks up to date beside this process; none without the libraries for it."""
    if not can_learn():
        return ()
    return (*_PROGRAM, "foreseer", *_options(pace))


def run_runner(url: str, pace: Pace, *, linked: bool) -> None:
    """Judge what arrives at a store until told to stop; ``linked``: by the process that started this one."""
    configure_logs()

    def make(on_signals: Callable[[], object]) -> Runner:
        return Runner(store, clock=pace.clock, lateness_us=pace.lateness_us, on_signals=on_signals)

    with open_store(url) as store:
        if linked:
            run_linked(store, make, runner_status)
        else:
            run_alone(store, make)


def run_foreseer(url: str, pace: Pace, *, linked: bool) -> None:
    """Keep risks up to date until told to stop; ``linked``: by the process that started this one.

    `TruenorthError` where the libraries for it are not installed.
    """
    check_can_foresee()
    from truenorth.server.foreseeing.foreseer import GATHER_US, Foreseer, foreseer_status  # noqa: PLC0415  (learning libraries)

    configure_logs()

    def make(on_signals: Callable[[], object]) -> Foreseer:
        return Foreseer(
            store, clock=pace.clock, lateness_us=pace.lateness_us, gather_us=GATHER_US, on_signals=on_signals
        )

    with open_store(url) as store:
        if linked:
            run_linked(store, make, foreseer_status, FORESEER)
        else:
            run_alone(store, make, FORESEER)


def answer_insights(url: str, link: Connection) -> None:
    """In a process of its own: answer questions about the events of a store."""
    configure_logs()
    with open_store(url) as store:
        answer_questions(link, store, Bounds().insight_age_seconds)


@contextmanager
def open_service(
    url: str,
    settings: Settings,
    *,
    journeys: Path | None = None,
    hooks: Path | None = None,
    clock: Callable[[], int] = now_us,
    with_console: bool = False,
    with_tour: bool = False,
    foresight: bool = False,
) -> Iterator[Service]:
    """The service of a store.

    ``journeys``: a folder whose journey files are published. ``hooks``: a folder of webhook mappings. An empty store
    gets a write key, and an administrator's token unless it is open to everybody. ``with_console``: with the pages for
    people, ``with_tour``: and a guided tour through them. ``foresight``: whether risks are to be kept up to date, where
    there are models. `TruenorthError` with all problems where something of it cannot be used.
    """
    load_ahead()
    texts = list(journey_texts(journeys)) if journeys else []
    taken = hooks_of(hooks) if hooks else {}
    with open_store(url) as store:
        check_can_serve(store, foresight=foresight)
        for name, text in texts:
            store.journeys.publish(name, text, now_us=clock())
        live = tuple(text.name for text in store.journeys.live())
        console = make_console(store, settings, clock, with_tour=with_tour) if with_console else None
        app = make_service(
            store,
            settings,
            clock,
            taken,
            before=console.layers() if console else (),
            answer_insights=partial(answer_insights, url),
        )
        link = first_link(store, settings, clock) if console else None
        if console:
            console.mount(app)
        secrets = _first_secrets(store, settings, clock)
        yield Service(app, live, *secrets, has_console=console is not None, first_link=link)


def load_ahead() -> None:
    """Load libraries for figures, and what judges a case, now: else it is done while somebody sends events."""
    with suppress(ImportError):  # Plotly looks at pandas where it is loaded, and fails while another thread loads it
        import_module("pandas")
    import_module("truenorth.report.subjects")
    replayed_case(parse_journey(SMALLEST), None, ())


def journey_texts(folder: Path) -> Iterator[tuple[str, str]]:
    """The name and the text of each journey file of a folder; InvalidJourney with the problems of all of them."""
    problems: list[Problem] = []
    for path in _files(folder, "journey files"):
        source = read_journey_file(path)
        loaded = load_journey(source, name=str(path))
        if loaded.journey is None:
            problems += [within(one, path) for one in loaded.errors]
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
        problems += [within(one, path) for one in loaded.problems]
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


def within(problem: Problem, path: Path) -> Problem:
    """The same problem where several files are read: its path names the file and the line as well.

    >>> within(Problem(path="$.need", line=3, expected="a", found="b"), Path("j/a.yaml")).path
    'j/a.yaml:3 $.need'
    """
    place = f"{path}:{problem.line}" if problem.line else str(path)
    return msgspec.structs.replace(problem, path=f"{place} {problem.path}", line=None)


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
