"""A topic gets the signals of batches in the shape of webhooks, under the same numbers when a batch comes again."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

import truenorth as tn
from server.test_exports import messages
from truenorth.cluster.stream.bucket import Told
from truenorth.cluster.stream.judging import Batch
from truenorth.cluster.stream.sinks import SIGNALS_A_BATCH, KafkaSink
from truenorth.server.exports.topic import Topic
from truenorth.spec.problems import TruenorthError
from truenorth.store.rows import NewSignal

JOURNEY = tn.load_journey(Path(__file__).parents[2] / "examples" / "support" / "journey.yaml")


def batch(number: int, n_signals: int) -> Batch:
    signals = [
        NewSignal(case=f"c{n % 7}", kind="promise.broken", time_us=n, body=msgspec.json.encode({"promise": f"p{n}"}))
        for n in range(n_signals)
    ]
    return Batch(number, [Told(signals=signals[::2]), Told(signals=signals[1::2])], [])


def test_a_batch_that_comes_again_has_the_same_numbers(brokers: str) -> None:
    sink = KafkaSink(Topic(brokers, "truenorth.signals", option="--signals-to"), JOURNEY)
    sink(batch(3, 20))
    sink(batch(3, 20))
    found = [msgspec.json.decode(one.value()) for one in messages(brokers, 40, "truenorth.signals")]
    numbers = [one["data"]["number"] for one in found]
    assert sorted(numbers) == sorted([3 * SIGNALS_A_BATCH + n for n in range(1, 21)] * 2)
    assert {one["data"]["journey"] for one in found} == {JOURNEY.name}


def test_more_signals_than_the_client_holds_are_all_sent(brokers: str) -> None:
    topic = Topic(brokers, "truenorth.signals", {"queue.buffering.max.messages": "100"}, option="--signals-to")
    KafkaSink(topic, JOURNEY)(batch(0, 1_000))
    assert len({one.value() for one in messages(brokers, 1_000, "truenorth.signals")}) == 1_000


def test_brokers_that_do_not_answer_are_named() -> None:
    topic = Topic("127.0.0.1:1", "signals", {"message.timeout.ms": "200"}, option="--signals-to")
    with pytest.raises(TruenorthError, match=r"127\.0\.0\.1:1.*goes on from this batch"):
        KafkaSink(topic, JOURNEY)(batch(0, 1))


def test_settings_that_nobody_knows_name_the_option() -> None:
    with pytest.raises(TruenorthError, match=r"--signals-to.*no\.such\.setting"):
        Topic("127.0.0.1:1", "signals", {"no.such.setting": "1"}, option="--signals-to")
