"""What customers say, in any language, distilled into themes.

Words are weighed by TF-IDF (G. Salton, C. Buckley (1988), "Term-weighting approaches in automatic text retrieval",
Information Processing & Management 24, 513-523) and themes are the parts of a non-negative matrix factorisation (D. D.
Lee, H. S. Seung (1999), "Learning the parts of objects by non-negative matrix factorization", Nature 401, 788-791),
both as scikit-learn has them. Words that many texts of a language have say nothing about any of them and are left out;
the language of a text is the one of whose commonest words (package stop-words) it has most. Scripts without spaces
between words (Chinese, Japanese, Thai ...) are read in pairs of characters. Words are not translated: what is said in
two languages comes as two themes, which can be given one name.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from truenorth.insight.clustered import clustered_means
from truenorth.insight.replayed import DECIDED, Replayed
from truenorth.spec.counted import counted

MAX_TEXTS = 50_000
"""Themes are learnt from at most so many different texts, drawn by the seed; all texts are then told apart by them."""
MIN_TEXTS = 20
N_THEMES = 10
N_TERMS = 6
N_QUOTES = 3
COMMON = 0.5
"""A word that is in more than this share of the texts of a language is left out."""
LISTED_COMMON = 0.05
"""So is one of the commonest words of its language (package stop-words) above this share: lists hold too much."""
SHORT = 3
"""And any of those of at most so many letters."""
LISTED_WEIGHT = 0.5
"""What is left of them weighs so much of another word: too little to make a theme by themselves. Leaving all of them
out would lose what customers talk about: lists have *line*, *call*, *help*."""
SAME_THEME = 0.5
"""A theme takes a given name whose terms it shares to this extent (Jaccard index)."""
MIN_WEIGHT = 0.05
"""A text whose strongest theme is weaker than this share of the strongest texts has no theme."""
WITHOUT_SPACES = re.compile(r"[぀-ヿ㐀-䶿一-鿿฀-๿຀-໿ក-៿က-႟]+")
WORD = re.compile(r"[^\W\d_]{2,}")
ADDRESS = re.compile(r"https?://\S+|[@#]\w+|\S+@\S+")
"""Addresses, tags and people spoken to: not what is said."""

Embed = Callable[[Sequence[str]], NDArray[np.float32]]
"""Texts to vectors (n, d), for those who have a model at hand."""


class Theme(msgspec.Struct, frozen=True, kw_only=True):
    """Something that customers talk about.

    ``terms``: the words that mark it, the strongest first. ``share`` of the texts. ``achieved`` of the decided cases in
    which it is said, with a 95 % interval by customer; ``feeling``: mean, in [-1, 1]. ``recent_share`` and
    ``early_share``: in the second and the first half of the time. ``quotes``: texts that are most of this theme. Values
    that cannot be told are None.
    """

    name: str
    terms: tuple[str, ...]
    n: int
    share: float
    n_cases: int
    achieved: float | None
    achieved_low: float | None
    achieved_high: float | None
    feeling: float | None
    early_share: float | None
    recent_share: float | None
    quotes: tuple[str, ...]


class Voice(msgspec.Struct, frozen=True, kw_only=True):
    """The themes of many texts, the most frequent first; ``n_other`` texts have none."""

    n_texts: int
    n_learnt_from: int
    n_other: int
    themes: tuple[Theme, ...]
    missing: str = ""

    def to_frame(self) -> pl.DataFrame:
        """One row a theme."""
        return pl.DataFrame([msgspec.to_builtins(one) for one in self.themes], infer_schema_length=None)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return plain


class Sorted(msgspec.Struct, frozen=True):
    """Texts and their themes: ``theme`` (n,) is a code into ``terms``, -1 for none; ``strength`` (n,) in [0, 1]."""

    theme: NDArray[np.int64]
    strength: NDArray[np.float64]
    terms: tuple[tuple[str, ...], ...]
    n_learnt_from: int


def voice(
    replay: Replayed,
    n_themes: int = N_THEMES,
    seed: int = 0,
    names: Mapping[str, Sequence[str]] | None = None,
    embed: Embed | None = None,
) -> Voice:
    """The themes of the customers' words (the field ``text`` of events) in a replay.

    *Counting rule*: a text belongs to its strongest theme; a case has a theme if any of its texts does, and counts
    once there. ``names`` gives themes names by their terms: a theme takes the name whose terms it shares most, if
    half of all their terms. ``embed`` groups by the vectors of a language model instead, which know no language.
    """
    texts = _texts(replay)
    if texts.height < MIN_TEXTS:
        few = f"{counted(texts.height, 'event has', 'events have')} a text; fewer than {MIN_TEXTS} give no themes"
        return Voice(n_texts=texts.height, n_learnt_from=0, n_other=texts.height, themes=(), missing=few)
    sorted_texts = sort_texts(texts["text"], n_themes, seed, embed)
    frame = texts.with_columns(
        pl.Series("theme", sorted_texts.theme), pl.Series("strength", sorted_texts.strength)
    ).filter(pl.col("theme") >= 0)
    named = _named(sorted_texts.terms, names or {})
    themes = _themes(frame, texts, sorted_texts.terms, named)
    return Voice(
        n_texts=texts.height,
        n_learnt_from=sorted_texts.n_learnt_from,
        n_other=texts.height - frame.height,
        themes=tuple(sorted(themes, key=lambda one: (-one.n, one.name))),
    )


def words_of(text: str) -> list[str]:
    """The words of a text in lower case; of scripts without spaces, pairs of characters.

    >>> words_of("My line is DEAD, again!"), words_of("网络断了")
    (['my', 'line', 'is', 'dead', 'again'], ['网络', '络断', '断了'])
    """
    found, text = [], ADDRESS.sub(" ", text)
    for run in WITHOUT_SPACES.findall(text):
        found += [run[i : i + 2] for i in range(max(1, len(run) - 1))]
    return found + WORD.findall(WITHOUT_SPACES.sub(" ", text).lower())


class Told(NamedTuple):
    """Texts as words: ``words`` of each without those that tell nothing, its ``language``, languages by their words."""

    words: list[list[str]]
    languages: list[str]
    speaks: Mapping[str, Sequence[str]]

    def listed(self, vocabulary: Sequence[str]) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        """Which words (m,) each language (l,) lists among its commonest: (l, m); and the language of each text (n,)."""
        names, of_text = np.unique(self.languages, return_inverse=True)
        listed = np.zeros((len(names), len(vocabulary)), dtype=np.bool_)
        for place, word in enumerate(vocabulary):
            listed[:, place] = np.isin(names, self.speaks[word]) if word in self.speaks else False
        return listed, of_text


def telling_words(texts: Sequence[str]) -> Told:
    """The words of each text without those that many texts of its language have."""
    of_texts = [words_of(text) for text in texts]
    speaks = _speaks()
    languages = _languages(of_texts, speaks)
    n_texts = Counter(languages)
    n_having: dict[str, Counter[str]] = {language: Counter() for language in n_texts}
    for words, language in zip(of_texts, languages, strict=True):
        n_having[language].update(set(words))
    common = {
        language: {word for word, n in having.items() if _is_common(word, n / n_texts[language], language, speaks)}
        for language, having in n_having.items()
    }
    telling = [
        [word for word in words if word not in common[language]]
        for words, language in zip(of_texts, languages, strict=True)
    ]
    return Told(telling, languages, speaks)


def _is_common(word: str, share: float, language: str, speaks: Mapping[str, Sequence[str]]) -> bool:
    listed = language in speaks.get(word, ())
    return share > COMMON or (listed and (share > LISTED_COMMON or len(word) <= SHORT))


def _speaks() -> dict[str, list[str]]:
    """The languages that have a word among their commonest ones."""
    from stop_words import AVAILABLE_LANGUAGES, get_stop_words  # noqa: PLC0415

    found: dict[str, list[str]] = {}
    for language in AVAILABLE_LANGUAGES:
        for word in get_stop_words(language):
            found.setdefault(word, []).append(language)
    return found


def _languages(of_texts: Sequence[Sequence[str]], speaks: Mapping[str, Sequence[str]]) -> list[str]:
    """The language of each text, by its commonest words; where none is known, that of most texts."""
    votes = [Counter(language for word in words for language in speaks.get(word, ())) for words in of_texts]
    overall = sum(votes, Counter[str]())
    most = overall.most_common(1)[0][0] if overall else ""
    return [max(vote, key=lambda one: (vote[one], overall[one]), default=most) for vote in votes]


def _as_it_is(words: Sequence[str]) -> Sequence[str]:
    return words


def sort_texts(texts: pl.Series, n_themes: int, seed: int, embed: Embed | None = None) -> Sorted:
    """Tell texts apart by theme, by the words that more than one has, or that were said more than once.

    Equal texts are weighed once, however often they were said.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415 a second to load

    different, codes = texts.unique().sort(), texts.rank("dense").to_numpy().astype(np.int64) - 1
    learnt = np.sort(np.random.default_rng(seed).permutation(len(different))[:MAX_TEXTS])
    told = telling_words(different.to_list())
    known = _telling([told.words[i] for i in learnt], np.bincount(codes)[learnt])
    if not known:
        return Sorted(np.full(len(texts), -1), np.zeros(len(texts)), (), len(learnt))
    weigh = TfidfVectorizer(analyzer=_as_it_is, vocabulary=known, sublinear_tf=True)
    weigh.fit([told.words[i] for i in learnt])
    words = weigh.get_feature_names_out()
    weighed = _weighed_down(weigh.transform(told.words), *told.listed(words))
    n = min(n_themes, len(words), len(learnt))
    if embed is None:
        theme, strength, marks = _by_words(weighed, learnt, n, seed)
    else:
        theme, strength, marks = _by_meaning(embed(different.to_list()), weighed, n, seed)
    terms = tuple(tuple(words[i] for i in np.argsort(-row, kind="stable")[:N_TERMS] if row[i] > 0) for row in marks)
    return Sorted(theme[codes], strength[codes], terms, len(learnt))


def _telling(told: Sequence[Sequence[str]], n_said: NDArray[np.int64]) -> list[str]:
    """The words that two different texts have; and those of a text without any of these, if two people said it."""
    n_having = Counter(word for words in told for word in set(words))
    shared = {word for word, n in n_having.items() if n >= min(2, len(told))}
    alone = [words for words, n in zip(told, n_said.tolist(), strict=True) if n > 1 and shared.isdisjoint(words)]
    return sorted(shared.union(*alone))


def _weighed_down(weighed: Any, listed: NDArray[np.bool_], of_text: NDArray[np.int64]) -> Any:
    """Weights (n, m), sparse by rows, with those of words that the language of their text lists made smaller."""
    rows = np.repeat(np.arange(weighed.shape[0]), np.diff(weighed.indptr))
    weighed.data[listed[of_text[rows], weighed.indices]] *= LISTED_WEIGHT
    return weighed


def _by_words(weighed: Any, learnt: NDArray[np.int64], n: int, seed: int) -> tuple[Any, Any, Any]:
    from sklearn.decomposition import NMF  # noqa: PLC0415

    model = NMF(n, init="nndsvda", random_state=seed, max_iter=400, tol=1e-3)
    model.fit(weighed[learnt])
    parts = model.transform(weighed)
    parts = parts / np.maximum(np.quantile(parts, 0.999, axis=0), 1e-12)
    strongest = parts.max(axis=1)
    theme = np.where(strongest >= MIN_WEIGHT, parts.argmax(axis=1), -1)
    return theme, np.minimum(strongest, 1.0), model.components_


def _by_meaning(vectors: NDArray[np.float32], weighed: Any, n: int, seed: int) -> tuple[Any, Any, Any]:
    from sklearn.cluster import KMeans  # noqa: PLC0415
    from sklearn.preprocessing import normalize  # noqa: PLC0415

    unit = normalize(vectors)
    groups = KMeans(n, random_state=seed, n_init=4).fit(unit)
    near = (unit * normalize(groups.cluster_centers_)[groups.labels_]).sum(axis=1)
    whole = np.asarray(weighed.mean(axis=0)).ravel()
    marks = [np.asarray(weighed[groups.labels_ == k].mean(axis=0)).ravel() - whole for k in range(n)]
    return groups.labels_.astype(np.int64), np.clip(near, 0.0, 1.0), np.array(marks)


def _texts(replay: Replayed) -> pl.DataFrame:
    """Events with words: ``text, case, customer, achieved`` (null where undecided), ``time, feeling``."""
    events = replay.events
    if "text" not in events.columns:
        return pl.DataFrame(schema={"text": pl.String})
    decided = pl.col("outcome").is_in(DECIDED)
    cases = replay.cases.lazy().select(
        "case",
        pl.coalesce("customer", "case").alias("customer"),
        pl.when(decided).then((pl.col("outcome") == "achieved").cast(pl.Float64)).alias("achieved"),
    )
    feeling = pl.col("feeling").cast(pl.Float64) if "feeling" in events.columns else pl.lit(None, dtype=pl.Float64)
    return (
        events.lazy()
        .filter(pl.col("text").is_not_null())
        .select(pl.col("text").cast(pl.String).str.strip_chars(), "case", "time", feeling.alias("feeling"))
        .filter(pl.col("text").str.len_chars() > 0)
        .join(cases, on="case", how="left", maintain_order="left")
        .collect()
    )


def _themes(
    frame: pl.DataFrame, texts: pl.DataFrame, terms: Sequence[Sequence[str]], named: Sequence[str]
) -> list[Theme]:
    middle = texts["time"].sort()[texts.height // 2]
    late = pl.col("time") >= middle
    n_late = texts.filter(late).height
    counts = frame.group_by("theme").agg(
        pl.len().alias("n"),
        late.sum().alias("n_late"),
        pl.col("case").n_unique().alias("n_cases"),
        pl.col("feeling").mean(),
    )
    once = frame.lazy().unique(["theme", "case"], keep="first", maintain_order=True)
    achieved = clustered_means(once, "theme", "customer", "achieved").collect().rows_by_key("theme", named=True)
    found = []
    for row in counts.iter_rows(named=True):
        rate = (achieved.get(row["theme"]) or [{}])[0]
        of_theme = frame.filter(pl.col("theme") == row["theme"])
        found.append(
            Theme(
                name=named[row["theme"]],
                terms=tuple(terms[row["theme"]]),
                n=row["n"],
                share=row["n"] / texts.height,
                n_cases=row["n_cases"],
                achieved=rate.get("mean"),
                achieved_low=_bounded(rate.get("low")),
                achieved_high=_bounded(rate.get("high")),
                feeling=row["feeling"],
                early_share=_share(row["n"] - row["n_late"], texts.height - n_late),
                recent_share=_share(row["n_late"], n_late),
                quotes=quotes(of_theme),
            )
        )
    return found


def quotes(said: pl.DataFrame) -> tuple[str, ...]:
    """The different texts of one theme that are most of it: ``text, strength``."""
    best = said.group_by("text").agg(pl.col("strength").max()).sort(["strength", "text"], descending=[True, False])
    return tuple(best["text"].head(N_QUOTES))


def _bounded(share: float | None) -> float | None:
    return None if share is None else min(1.0, max(0.0, share))


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _named(terms: Sequence[Sequence[str]], names: Mapping[str, Sequence[str]]) -> list[str]:
    """A name for each theme: a given one whose terms it shares, else its first terms."""
    found = []
    for own in terms:
        shared = {name: _jaccard(own, given) for name, given in names.items()}
        best = max(shared, key=lambda name: shared[name], default=None)
        found.append(best if best is not None and shared[best] >= SAME_THEME else ", ".join(own[:3]))
    return found


def _jaccard(one: Sequence[str], other: Sequence[str]) -> float:
    both = set(one) | set(other)
    return len(set(one) & set(other)) / len(both) if both else 0.0
