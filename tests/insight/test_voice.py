"""Customers' voice: themes that were planted are found, in any language and script; names stay with their themes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stop_words import get_stop_words

from report.replays import CASES, EVENTS, MadeReplay, frame, hours, journey
from truenorth.insight.theme_names import parse_theme_names, write_theme_names
from truenorth.insight.voice import Theme, Voice, sort_texts, voice, words_of
from truenorth.logs import read_log
from truenorth.report.voice import finding as voice_finding
from truenorth.spec.problems import TruenorthError

PLANTED = {
    "parcel": ("the parcel never arrived", "where is the parcel, the courier left nothing", "courier lost our parcel"),
    "refund": ("still waiting for the refund", "money was not paid back, refund missing", "refund of my money, please"),
    "rechnung": (
        "die Rechnung stimmt nicht",
        "auf der Rechnung ist ein falscher Betrag",
        "falscher Betrag, neue Rechnung",
    ),
    "网络": ("网络断了无法上网", "家里的网络又断了", "网络一直断不能上网"),
}
TWEETS = Path(__file__).parents[2].parent / "shared" / "data" / "TwitterUSAirlineSentiment.csv.gz"


def said(n: int, seed: int = 0) -> tuple[MadeReplay, list[str]]:
    """Cases with one text each, of planted themes in turn; those about refunds are not achieved."""
    dice = np.random.default_rng(seed)
    of = [list(PLANTED)[i % len(PLANTED)] for i in range(n)]
    texts = [str(dice.choice(PLANTED[theme])) for theme in of]
    events = [{"case": str(i), "id": str(i), "type": "write", "time": hours(i), "moment": True} for i in range(n)]
    cases = [
        {
            "case": str(i),
            "customer": f"c{i}",
            "opened": hours(i),
            "outcome": "failed" if theme == "refund" else "achieved",
        }
        for i, theme in enumerate(of)
    ]
    made = frame(events, EVENTS).with_columns(text=pl.Series(texts))
    return MadeReplay(journey=journey(), events=made, cases=frame(cases, CASES)), of


def purity(themes: np.ndarray, truth: list[str]) -> float:
    """The share of texts that are of the commonest planted theme of theirs."""
    pairs = pl.DataFrame({"theme": themes, "truth": truth}).group_by("theme", "truth").len()
    return float(pairs.group_by("theme").agg(pl.col("len").max())["len"].sum()) / len(truth)


@pytest.mark.parametrize("seed", range(3))
def test_planted_themes_are_found_across_scripts(seed: int) -> None:
    replay, truth = said(200, seed)
    found = sort_texts(replay.events["text"], len(PLANTED), seed)
    assert purity(found.theme, truth) > 0.95


TOPICS = {
    "english": (
        ("router", "blinks", "offline"),
        ("invoice", "charged", "refund"),
        ("technician", "appointment", "drill"),
    ),
    "german": (
        ("Anschluss", "gestört", "Leitung"),
        ("Rechnung", "Betrag", "Mahnung"),
        ("Techniker", "Termin", "Bohrer"),
    ),
    "italian": (("modem", "spento", "rete"), ("bolletta", "importo", "rimborso"), ("tecnico", "trapano", "muratore")),
    "swahili": (("mtandao", "kasi", "simu"), ("ankara", "malipo", "fedha"), ("fundi", "miadi", "nyumba")),
}


def spoken(language: str, n: int, dice: np.random.Generator) -> tuple[list[str], list[int]]:
    """Texts of two words of a topic, a name of their own, and four of the commonest words of a language with a list."""
    glue = sorted(word for word in get_stop_words(language) if len(word) > 3)[:80] if language != "swahili" else []
    topics, of = TOPICS[language], dice.integers(3, size=n).tolist()
    names = ["".join(dice.choice(list("bdgklmnprst"), 9)) for _ in of]
    told = [[*dice.choice(topics[topic], 2, replace=False), *(dice.choice(glue, 4) if glue else [])] for topic in of]
    return [" ".join([*words, name]) for words, name in zip(told, names, strict=True)], of


@pytest.mark.parametrize("language", TOPICS)
def test_the_commonest_words_of_a_language_lead_no_theme(language: str) -> None:
    """Each of them is in few texts, so that no share gives it away. A language without a list has its themes, too."""
    dice = np.random.default_rng(1)
    texts, topics = spoken(language, 400, dice)
    others, _ = spoken("german" if language != "german" else "english", 400, dice)
    found = sort_texts(pl.Series(texts + others), 10, 0)
    words = {word.lower() for one in TOPICS.values() for topic in one for word in topic}
    assert {terms[0] for terms in found.terms} <= words
    assert purity(found.theme[: len(texts)], [str(topic) for topic in topics]) > 0.95


def test_a_theme_knows_what_becomes_of_those_who_say_it() -> None:
    replay, _ = said(200)
    found = voice(replay, n_themes=len(PLANTED))
    refund = next(theme for theme in found.themes if "refund" in theme.terms)
    assert (refund.achieved, refund.achieved_high) == (0.0, 0.0)
    assert any("refund" in quote for quote in refund.quotes)
    assert sum(theme.n for theme in found.themes) + found.n_other == found.n_texts == 200


def test_given_names_stay_when_themes_are_learnt_anew() -> None:
    first = voice(said(200)[0], n_themes=len(PLANTED))
    text = write_theme_names(first.themes)
    mine = next(theme.name for theme in first.themes if "refund" in theme.terms)
    names = parse_theme_names(text.replace(mine, "Money back"), "names.yaml")
    again = voice(said(160, seed=9)[0], n_themes=len(PLANTED), names=names)
    assert "refund" in next(theme for theme in again.themes if theme.name == "Money back").terms


def test_a_file_of_names_that_is_wrong_says_what_was_expected() -> None:
    with pytest.raises(TruenorthError, match=r"names\.yaml"):
        parse_theme_names("themes: 3", "names.yaml")


def test_vectors_of_a_model_group_what_words_keep_apart() -> None:
    replay, truth = said(120)
    at = {text: place for place, texts in enumerate(PLANTED.values()) for text in texts}

    def embed(texts: list[str]) -> np.ndarray:
        return np.eye(2, dtype=np.float32)[[at[text] // 2 for text in texts]]  # a model that knows two meanings

    found = sort_texts(replay.events["text"], 2, 0, embed)
    assert purity(found.theme, ["goods" if one in ("parcel", "refund") else "rest" for one in truth]) == 1.0


def test_few_texts_and_no_texts_are_said() -> None:
    assert "fewer than" in voice(said(5)[0]).missing
    silent, _ = said(30)
    no_field = MadeReplay(journey=silent.journey, events=silent.events.drop("text"), cases=silent.cases)
    assert voice(no_field) == Voice(n_texts=0, n_learnt_from=0, n_other=0, themes=(), missing=voice(no_field).missing)


def test_texts_without_words_have_no_theme() -> None:
    found = sort_texts(pl.Series(["!!", "42", "…"] * 10), 5, 0)
    assert set(found.theme.tolist()) == {-1}


@given(st.text(max_size=60))
def test_any_text_has_words_of_letters(text: str) -> None:
    assert all(word and not word.isspace() for word in words_of(text))


@given(st.permutations(range(40)))
@settings(max_examples=15, deadline=None)
def test_the_order_of_texts_changes_no_theme(order: list[int]) -> None:
    texts = said(40)[0].events["text"]
    plain, shuffled = sort_texts(texts, 4, 0), sort_texts(texts[order], 4, 0)
    assert plain.theme[order].tolist() == shuffled.theme.tolist()


def test_tweets_to_airlines_speak_of_what_went_wrong() -> None:
    if not TWEETS.exists():
        pytest.skip("TwitterUSAirlineSentiment.csv.gz is not beside the repository")
    tweets = read_log(TWEETS, fields={"customer": "name", "time": "tweet_created", "type": "airline_sentiment"}).events
    found = sort_texts(tweets["text"], 10, 0)
    reasons = tweets["negativereason"].to_numpy()
    cancelled = next(k for k, terms in enumerate(found.terms) if terms[0] == "cancelled")
    told = reasons[(found.theme == cancelled) & (reasons != None)]  # noqa: E711
    assert (told == "Cancelled Flight").mean() > 0.6  # of all complaints it is 9 %


def theme_with(name: str, low: float, high: float) -> Theme:
    """A theme of which only the share achieved matters."""
    return Theme(
        name=name, terms=(name,), n=50, share=0.5, n_cases=50, achieved=(low + high) / 2, achieved_low=low,
        achieved_high=high, feeling=None, early_share=None, recent_share=None, quotes=(),
    )  # fmt: skip


@pytest.mark.parametrize(("low", "is_told"), [(0.75, True), (0.55, False)])
def test_themes_are_held_against_each_other_only_where_they_can_be_told_apart(low: float, is_told: bool) -> None:
    themes = (theme_with("slow", 0.5, 0.6), theme_with("thanks", low, 0.9))
    told = voice_finding(Voice(n_texts=100, n_learnt_from=100, n_other=0, themes=themes))
    assert ("slow gets the outcome less often than who talks about thanks" in told) is is_told
