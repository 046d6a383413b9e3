"""What a company has lived, as frames: events as others would record them, and what only the simulation knows."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from truenorth.simulate import model, tables
from truenorth.simulate import records as r
from truenorth.simulate.customers import N_CAMPAIGNS, PLANS, REGIONS
from truenorth.simulate.journeys import JOURNEYS
from truenorth.simulate.run import Progress, Run
from truenorth.simulate.words import sentences

INSTANT = pl.Datetime("us", "UTC")
SHOWN_OUTCOMES = (*model.OUTCOMES, "open")
FIELD_TYPES = ("Technician came", "Visit missed")
INTERNAL_TYPES = ("Transferred", "Passed to specialists", "Line tested")
"""Nobody outside sees these: they have no channel."""
WRITTEN_TYPES = (
    "Confirmed in writing",
    "Confirmation promised",
    "Message sent ahead",
    "Apology posted",
    "Rated us",
    "Details sent",
)
TELEPHONY_TYPES = ("Hung up", "Called again", "Answered", "Transferred")
ASKED_FOR = {"Asked again": "customer number", "Asked for details": "photo of the device"}
ASKED_FOR_BILL = {"Asked again": "bill number", "Asked for details": "copy of the bill"}


def _words(names: tuple[str, ...] | list[str]) -> pl.Series:
    """Categories to gather from; position 0 is null, so code -1 is."""
    return pl.Series([None, *names], dtype=pl.String).cast(pl.Categorical)


class Lived:
    """What was lived in one run.

    ``events()`` and ``parts()`` are what the company's systems recorded. ``cases``, ``decisions`` and ``counts`` are
    the truth behind it, for tests and for judging what others find.
    """

    def __init__(
        self, run: Run, tables_: r.Tables, refused: NDArray[np.bool_], propensity: NDArray[np.float64]
    ) -> None:
        self.run = run
        self.tables = tables_
        self._refused = refused
        self._propensity = propensity

    @property
    def n_events(self) -> int:
        """How many events there are."""
        return sum(map(len, self.run.chunks))

    @property
    def counts(self) -> dict[str, int]:
        """``cases`` opened; ``skipped`` needs of customers with a case of the journey open, or who left; ``overrun``
        cases settled so late that their outcome may come after ``within``."""
        n = self.run.n
        return {"cases": int(n[r.N_CASES]), "skipped": int(n[r.N_SKIPPED]), "overrun": int(n[r.N_OVERRUN])}

    def events(self, on_progress: Progress | None = None) -> pl.DataFrame:
        """All events in order of time.

        Canonical fields, then properties: ``journey``, ``category``, ``severity`` (0 to 2), ``segment``, ``plan``,
        ``region``, ``tenure_months``, ``month_eur`` (what the customer pays), ``load`` (people waiting per person at
        work when the case opened, at most 3), ``queue_s`` and ``talk_s`` (seconds waited and seconds of the talk, of
        answers), ``asked_for``, ``campaign`` (of orders), ``score`` (0 to 10, of surveys). Texts of few values are
        ``pl.Categorical``.
        """
        frames, done = [], 0
        for chunk in self.run.chunks:
            frames.append(self.frame(chunk, done))
            done += len(chunk)
            if on_progress is not None:
                on_progress("writing events", done / max(1, self.n_events))
        return pl.concat(frames, rechunk=False)

    def parts(self, rows_per_part: int = 1_000_000) -> Iterator[pl.DataFrame]:
        """The same rows in pieces of ``rows_per_part`` (the last may be shorter), in order of time."""
        held: list[NDArray[np.void]] = []
        n_held, first = 0, 0
        for chunk in self.run.chunks:
            rest = chunk
            while n_held + len(rest) >= rows_per_part:
                cut = rows_per_part - n_held
                yield self.frame(np.concatenate([*held, rest[:cut]]), first)
                first += rows_per_part
                held, n_held, rest = [], 0, rest[cut:]
            if len(rest):
                held.append(rest)
                n_held += len(rest)
        if n_held:
            yield self.frame(np.concatenate(held), first)

    @cached_property
    def surveys(self) -> pl.DataFrame:
        """The events that are answers to surveys, as in `events`."""
        frames = [frame.filter(pl.col("source") == "survey") for frame in self.parts()]
        return pl.concat(frames) if frames else self.events()

    @cached_property
    def cases(self) -> pl.DataFrame:
        """One row a case in order of opening: what it was like, what went wrong (level by cause, null if it was not
        at stake or is not known yet), what was done, and its outcome (``open`` where not settled in time)."""
        cases = self.run.cases
        table = pl.DataFrame(
            {
                "case": self.case_names,
                "customer": self._customer_names.gather(cases["customer"]),
                "journey": _words([j.name for j in JOURNEYS]).gather(cases["journey"].astype(np.uint32) + 1),
                "opened": pl.Series(np.ascontiguousarray(cases["opened_us"])).cast(INSTANT),
                "category": self._of_case(_CATEGORIES, self._category_codes),
                "severity": np.ascontiguousarray(cases["severity"]),
                "segment": self._of_case(_SEGMENTS, cases["segment"]),
                "load": np.round(cases["load"].astype(np.float64), 2),
                "wiring": cases["wiring"].astype(np.float64),
                "trigger": self._of_case(_words(model.TRIGGERS), cases["trigger"]),
                "action": self._of_case(_words([action.name for action in model.ACTIONS]), cases["action"]),
                "outcome": self._of_case(_words(SHOWN_OUTCOMES), cases["outcome"]),
            }
        )
        return table.with_columns(self._levels())

    @cached_property
    def decisions(self) -> pl.DataFrame:
        """One row a moment to decide: case, time, trigger, action, ``propensity`` of what the policy chose, and
        ``refused`` where the day's capacity for it was used up, so that nothing was done."""
        cases = self.run.cases
        extra = pl.DataFrame(
            {
                "time": pl.Series(np.ascontiguousarray(cases["decided_us"])).cast(INSTANT),
                "propensity": self._propensity,
                "refused": self._refused,
            }
        )
        chosen = self.cases.select("case", "journey", "trigger", "action").hstack(extra)
        columns = ["case", "time", "journey", "trigger", "action", "propensity", "refused"]
        return chosen.filter(pl.col("trigger") != "none").select(columns).sort("time", "case")

    def _levels(self) -> list[pl.Series]:
        journeys, stakes, levels = self.run.cases["journey"], self.run.cases["stakes"], self.run.levels
        columns = []
        for j, journey in enumerate(JOURNEYS):
            for c, cause in enumerate(journey.causes):
                known = (journeys == j) & ((stakes >> c) & 1 == 1) & (levels[:, c] >= 0)
                column = pl.Series(f"{journey.name}.{cause.name}", levels[:, c])
                columns.append(column.set(pl.Series(~known), None))
        return columns

    def _of_case(self, words: pl.Series, codes: NDArray[np.integer]) -> pl.Series:
        return words.gather(codes.astype(np.int64) + 1)

    @cached_property
    def _customer_names(self) -> pl.Series:
        return _customers_called(np.arange(len(self.run.customers)))

    @cached_property
    def case_names(self) -> pl.Series:
        """Letter of the journey, number of the customer, day: the same case in every world of a seed."""
        return _cases_called(self.run.cases)

    @cached_property
    def _category_codes(self) -> NDArray[np.int64]:
        codes: NDArray[np.int64] = self.run.cases["journey"].astype(np.int64) * 3 + self.run.cases["category"]
        return codes

    @cached_property
    def _actors(self) -> tuple[pl.Series, NDArray[np.int64]]:
        """Names of all who act, and where each team's begin."""
        most = self.tables.staff_most
        names = [f"{team} {n + 1}" for team, n_people in zip(model.TEAMS, most, strict=True) for n in range(n_people)]
        return _words(names), np.cumsum(most) - most

    def frame(self, events: NDArray[np.void], first: int) -> pl.DataFrame:
        """Some `records.EVENT` as rows of `events`; ``first`` of them came before."""
        case = events["case"]
        types = events["type"].astype(np.int64)
        team = events["team"].astype(np.int64)
        cases = self.run.cases[case]
        customer = cases["customer"]
        actors, starts = self._actors
        actor = np.where(team >= 0, starts[team] + events["actor"], -1)
        are_few = len(events) < len(self.run.cases)
        columns = {
            "source": _SOURCE.gather(types),
            "id": pl.int_range(first + 1, first + len(events) + 1, eager=True).cast(pl.String),
            "type": _TYPE.gather(types),
            "time": pl.Series(np.ascontiguousarray(events["time_us"])).cast(INSTANT),
            "customer": _customers_called(customer) if are_few else self._customer_names.gather(customer),
            "case": _cases_called(cases) if are_few else self.case_names.gather(case),
            "actor": actors.gather(actor + 1),
            "team": _TEAM.gather(team + 1),
            "channel": _CHANNEL.gather(_CHANNEL_CODES[types, cases["channel"]]),
            "cost": _COST.gather(types),
            "revenue": _REVENUE.gather(types),
            "feeling": _number(events["feeling"], 2),
            "text": _SENTENCES.gather(events["text"].astype(np.int64) + 1),
        }
        return pl.DataFrame(columns | self._properties(events, cases, types))

    def _properties(
        self, events: NDArray[np.void], cases: NDArray[np.void], types: NDArray[np.int64]
    ) -> dict[str, pl.Series]:
        customers = self.run.customers[cases["customer"]]
        journey = cases["journey"].astype(np.int64)
        is_order = types == tables.CODES[JOURNEYS[0].need]
        return {
            "journey": _JOURNEY.gather(journey),
            "category": _CATEGORIES.gather(journey * 3 + cases["category"] + 1),
            "severity": pl.Series(np.ascontiguousarray(cases["severity"])),
            "segment": _SEGMENTS.gather(cases["segment"].astype(np.int64) + 1),
            "plan": _PLANS.gather(customers["plan"].astype(np.int64)),
            "region": _REGIONS.gather(customers["region"].astype(np.int64)),
            "tenure_months": pl.Series(np.ascontiguousarray(customers["tenure_months"])),
            "month_eur": _number(customers["month_eur"], 2),
            "load": _number(cases["load"], 2),
            "queue_s": _number(events["wait_s"], 0),
            "talk_s": _number(events["talk_s"], 0),
            "asked_for": _ASKED_FOR.gather(_ASKED_CODES[types, journey]),
            "campaign": _CAMPAIGNS.gather(np.where(is_order, customers["campaign"].astype(np.int64) + 1, 0)),
            "score": pl.Series(np.ascontiguousarray(events["score"])).replace(-1, None),
        }


def _customers_called(customers: NDArray[np.integer]) -> pl.Series:
    numbers = pl.DataFrame({"n": customers + 1})
    return numbers.select(name=pl.lit("C") + pl.col("n").cast(pl.String).str.zfill(7))["name"]


def _cases_called(cases: NDArray[np.void]) -> pl.Series:
    letters = pl.Series([journey.letter for journey in JOURNEYS]).gather(cases["journey"].astype(np.uint32))
    parts = pl.DataFrame({"letter": letters, "customer": cases["customer"] + 1, "day": cases["day"]})
    number, day = (pl.col(name).cast(pl.String).str.zfill(width) for name, width in (("customer", 7), ("day", 3)))
    return parts.select(pl.concat_str("letter", number, pl.lit("-"), day).alias("case"))["case"]


def _number(values: NDArray[np.floating], digits: int) -> pl.Series:
    """Rounded, NaN as null."""
    return pl.Series(np.round(values.astype(np.float64), digits), nan_to_null=True)


def _source(name: str) -> str:
    if name == "Rated us":
        return "survey"
    if name in FIELD_TYPES:
        return "field"
    return "telephony" if name in TELEPHONY_TYPES else "crm"


def _channel_codes() -> NDArray[np.int64]:
    """Position in `_CHANNEL` by event type and channel of the case."""
    codes = np.tile(np.arange(1, 5), (len(tables.TYPES), 1))
    for name, fixed in (
        *((name, 0) for name in INTERNAL_TYPES),
        *((name, 5) for name in WRITTEN_TYPES),
        *((name, 6) for name in FIELD_TYPES),
    ):
        codes[tables.CODES[name]] = fixed
    return codes


def _asked_codes() -> NDArray[np.int64]:
    codes = np.zeros((len(tables.TYPES), len(JOURNEYS)), np.int64)
    words = [None, *ASKED_FOR.values(), *ASKED_FOR_BILL.values()]
    for j, journey in enumerate(JOURNEYS):
        for name, word in (ASKED_FOR_BILL if journey.name == "bill" else ASKED_FOR).items():
            codes[tables.CODES[name], j] = words.index(word)
    return codes


def _money(of: dict[str, float]) -> pl.Series:
    return pl.Series([of.get(name) for name in tables.TYPES], dtype=pl.Float64)


_SOURCE = pl.Series([_source(name) for name in tables.TYPES]).cast(pl.Categorical)
_TYPE = pl.Series(list(tables.TYPES)).cast(pl.Categorical)
_TEAM = _words(model.TEAMS)
_CHANNEL = _words([*model.CHANNELS, "email", "visit"])
_CHANNEL_CODES = _channel_codes()
_COST = _money(model.COST_EUR | {action.event: action.cost_eur for action in model.ACTIONS if action.event})
_REVENUE = _money(model.REVENUE_EUR)
_SENTENCES = _words(sentences())
_JOURNEY = pl.Series([journey.name for journey in JOURNEYS]).cast(pl.Categorical)
_CATEGORIES = _words([category.name for journey in JOURNEYS for category in journey.categories])
_SEGMENTS = _words([segment.name for segment in model.SEGMENTS])
_PLANS = pl.Series(PLANS).cast(pl.Categorical)
_REGIONS = pl.Series(REGIONS).cast(pl.Categorical)
_ASKED_FOR = _words([*ASKED_FOR.values(), *ASKED_FOR_BILL.values()])
_ASKED_CODES = _asked_codes()
_CAMPAIGNS = _words([f"campaign {n + 1:02}" for n in range(N_CAMPAIGNS)])
