"""The log as messages of Kafka, in the order of arrival for every case.

A message's key is the event's case, else its customer, else its id; its value the event as `pages.as_json` writes it;
its time that of the event; the header `position` the position in the log. Delivery is at least once: who reads drops an
event whose ``source`` and ``id`` it has seen.
"""

from __future__ import annotations

from collections.abc import Mapping

from truenorth.server.exports.pages import Exported, Tell, as_json, pages
from truenorth.server.exports.topic import Message, Topic
from truenorth.store.ports import EventLog, Stored

TOPIC = "truenorth.events"


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
    to = Topic(brokers, topic, settings, option="--kafka")
    done = Exported(0, after)
    for page in pages(log, tell, after):
        hint = f"when the brokers can be reached, go on with --after {done.position}: all up to there has arrived"
        to.send(map(_message, page), hint)
        done = Exported(done.n_events + len(page), page[-1].position)
    return done


def _message(stored: Stored) -> Message:
    position, event = stored
    key = event.case or event.customer or event.id
    return Message(key.encode(), as_json(event), max(0, event.time_us // 1000), {"position": str(position)})
