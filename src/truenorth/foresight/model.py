"""What foresight says of a case, and the whole of what has been learnt as one value that a store can keep."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from truenorth.foresight.predictors import Head, Runner, calibrated, runner
from truenorth.foresight.remaining import Ends, Remaining, interval
from truenorth.foresight.rows import Column
from truenorth.foresight.why import Reason, largest, risk_contributions

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

FORMAT = 2
"""Of the bytes; another one is refused."""


class Foreseen(NamedTuple):
    """What n rows foretell.

    ``p`` (n, n_outcomes) in the order of the outcomes; ``p_break`` a promise's name to (n,), the chance that the
    instance active now breaks; ``remaining_days`` (n, 3): the low end, the median, the high end (infinite for none);
    ``next`` (n, n_types).
    """

    p: F64
    p_break: Mapping[str, F64]
    remaining_days: F64
    next: F64

    @property
    def risk(self) -> F64:
        """The chance (n,) of any outcome but the first, which is the one hoped for."""
        return 1.0 - self.p[:, 0]


class Model(Protocol):
    """What every model can do once it has learnt."""

    def predict(self, x: F32) -> Foreseen:
        """What rows (n, n_columns) foretell."""

    def contributions(self, x: F32, top: int = 3) -> list[tuple[Reason, ...]]:
        """The largest contributions to the risk of each row, in the words of the columns."""


class Verdict(msgspec.Struct, frozen=True):
    """Whether a model goes to work and which: ``used`` trees, logistic or none; ``why`` in words."""

    used: str
    live: bool
    why: str


class Foresight(msgspec.Struct, frozen=True):
    """Everything learnt: what is needed to make rows, to ask the models and to know how far to trust them.

    ``vocabulary`` is kept as the bytes its owner made. ``heads`` are the models by target: ``outcome``,
    ``promise:NAME``, ``next``. ``threshold`` is the risk from which a case counts as endangered. ``shares`` of
    the outcomes among the cases learnt from; ``metrics`` on held-out time. ``window_us``: how far back the level of the
    risks looks when it follows what becomes of cases (`truenorth.foresight.level`); 0 = it does not.
    """

    columns: tuple[Column, ...]
    outcomes: tuple[str, ...]
    next_types: tuple[str, ...]
    heads: dict[str, Head]
    remaining: Remaining | None
    verdict: Verdict
    threshold: float
    data_from_us: int
    data_to_us: int
    n_cases: int
    n_rows: int
    shares: tuple[float, ...]
    journey: str = ""
    metrics: dict[str, Any] = {}
    vocabulary: bytes = b""
    window_us: int = 0

    @property
    def version(self) -> str:
        """Twelve hexadecimal digits of the content: equal for equal models."""
        return hashlib.sha256(self.to_bytes()).hexdigest()[:12]

    def to_bytes(self) -> bytes:
        """Everything as bytes: MessagePack around LightGBM's own text. No code is in them."""
        return msgspec.msgpack.encode((FORMAT, self), order="deterministic")

    @classmethod
    def from_bytes(cls, content: bytes) -> Foresight:
        """What `to_bytes` wrote; ValueError for anything else."""
        try:
            version, rest = msgspec.msgpack.decode(content, type=tuple[int, msgspec.Raw])
            if version != FORMAT:
                raise ValueError(f"a model of format {version}; this version of Truenorth reads format {FORMAT}")
            return _MODELS.decode(rest)
        except msgspec.MsgspecError as error:
            raise ValueError(f"these bytes are no model: {error}") from None


_MODELS = msgspec.msgpack.Decoder(Foresight)


class Scorer:
    """A `Foresight` ready to be asked. One thread at a time for `one`.

    ``ends`` of the intervals of the days remaining; None = where they were learnt (`truenorth.foresight.ends`).
    """

    def __init__(self, foresight: Foresight, ends: Ends | None = None) -> None:
        n_columns = len(foresight.columns)
        self.foresight, self.ends = foresight, ends
        self.runners: dict[str, Runner] = {
            name: runner(head.predictor, n_columns) for name, head in foresight.heads.items()
        }
        self.remaining = runner(foresight.remaining.predictor, n_columns) if foresight.remaining else None

    def predict(self, x: F32) -> Foreseen:
        """What rows (n, n_columns) float32 foretell."""
        return self._foreseen({name: asked.predict(x) for name, asked in self.runners.items()}, self._days(x), len(x))

    def one(self, x: F32) -> Foreseen:
        """The same for a single row (n_columns,), by the fast path; answers have n = 1."""
        days = self.remaining.one(x)[:1] if self.remaining else np.zeros(0)
        return self._foreseen({name: asked.one(x)[None] for name, asked in self.runners.items()}, days, 1)

    def contributions(self, x: F32, top: int = 3) -> list[tuple[Reason, ...]]:
        """The ``top`` largest contributions to the risk of each row, in log-odds, in the words of the columns."""
        return largest(self.added(x), x, self.foresight.columns, top)

    def added(self, x: F32) -> F64:
        """What each column adds to the log-odds of the risk: (n, n_columns)."""
        asked = self.runners["outcome"]
        return risk_contributions(asked.contributions(x), asked.predict(x))

    def risk(self, x: F32) -> F64:
        """Only the risk (n,)."""
        p = calibrated(self.runners["outcome"].predict(x), self.foresight.heads["outcome"].curves)
        return 1.0 - p[:, 0]

    def _days(self, x: F32) -> F64:
        return self.remaining.predict(x)[:, 0] if self.remaining else np.zeros(0)

    def _foreseen(self, raw: Mapping[str, F64], days: F64, n: int) -> Foreseen:
        heads = self.foresight.heads
        p = {name: calibrated(values, heads[name].curves) for name, values in raw.items()}
        breaks = {name.removeprefix("promise:"): p[name][:, 1] for name in p if name.startswith("promise:")}
        learnt = self.foresight.remaining
        between = interval(learnt, np.maximum(days, 0.0), *(self.ends or learnt.ends)) if learnt else None
        remaining = np.column_stack(between) if between else np.full((n, 3), np.nan)
        return Foreseen(p["outcome"], breaks, remaining, p.get("next", np.zeros((n, 0))))
