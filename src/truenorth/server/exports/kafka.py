"""The log as messages of Kafka, in the order of arrival for every case.

A message's key is the event's case, else its customer, else its id; its value the event as `pages.as_json` writes it;
its time that of the event; the header `position` the position in the log. Delivery is at least once: who reads drops an
event whose ``source`` and ``id`` it has seen.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING

from truenorth.server.exports.pages import Exported, Tell, as_json, pages
from truenorth.spec.problems import Problem, TruenorthError
from truenorth.store.ports import EventLog, Stored

if TYPE_CHECKING:
    from confluent_kafka import KafkaError, Message, Producer

TOPIC = "truenorth.events"
FLUSH_S = 60.0
"""The longest wait for the brokers to acknowledge a page."""
_LOG = logging.getLogger("truenorth.kafka")
_LOG.addHandler(logging.NullHandler())


def export_kafka(
    log: EventLog,
    brokers: str,
    topic: str = TOPIC,
    *,
    after: int = 0,
    settings: Mapping[str, str] | None = None,
    tell: Tell = lambda _stage, _share: None,
) -> Exported:
    """Send the log after a position; ``settings`` are further ones of librdkafka, such as security.

    Every page is acknowledged by all replicas before the next is read. Raises `TruenorthError` where the extra `export`
    is not installed or the brokers do not acknowledge: it names the position after which to go on.
    """
    if find_spec("confluent_kafka") is None:
        expected, hint = "the client of Kafka", "pip install 'truenorth[export]'"
        raise TruenorthError([Problem(path="--kafka", expected=expected, found="it is not installed", hint=hint)])
    producer = _producer(brokers, settings or {})
    done = Exported(0, after)
    for page in pages(log, tell, after):
        refused = _send(producer, topic, page)
        if refused:
            raise _not_sent(brokers, refused, done.position)
        done = Exported(done.n_events + len(page), page[-1].position)
    return done


def _producer(brokers: str, settings: Mapping[str, str]) -> Producer:
    from confluent_kafka import KafkaException, Producer  # noqa: PLC0415  (loaded only where it is asked for)

    always = {"bootstrap.servers": brokers, "enable.idempotence": True, "compression.type": "zstd"}
    limits = {"message.timeout.ms": int(FLUSH_S * 1000), "linger.ms": 20}
    try:
        return Producer({**limits, **settings, **always}, logger=_LOG)
    except KafkaException as error:
        hint = "see the settings of librdkafka"
        raise TruenorthError(
            [Problem(path="--kafka", expected="settings of a client", found=str(error), hint=hint)]
        ) from error


def _send(producer: Producer, topic: str, page: Sequence[Stored]) -> str:
    """Send a page and wait for its acknowledgement; why it was not given, else nothing."""
    refused: list[str] = []

    def note(error: KafkaError | None, _: Message) -> None:
        if error is not None:
            refused.append(error.str())

    for position, event in page:
        value = as_json(event)
        headers: dict[str, str | bytes | None] = {"position": str(position)}
        time_ms = max(0, event.time_us // 1000)
        key = (event.case or event.customer or event.id).encode()
        while True:
            try:
                producer.produce(topic, value, key, on_delivery=note, timestamp=time_ms, headers=headers)
                break
            except BufferError:
                producer.poll(0.1)
    left = producer.flush(FLUSH_S)
    return refused[0] if refused else (f"{left} messages were not acknowledged in time" if left else "")


def _not_sent(brokers: str, reason: str, position: int) -> TruenorthError:
    hint = f"when the brokers can be reached, go on with --after {position}: all up to there has arrived"
    return TruenorthError([Problem(path=brokers, expected="brokers that take messages", found=reason, hint=hint)])
