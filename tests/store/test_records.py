"""Keys, journeys, links, audit, and deliveries to webhooks."""

from __future__ import annotations

from store.making import HOUR_US
from truenorth.store.opening import Store, open_store
from truenorth.store.rows import Judged, Link, NewSignal, Noted, Progress, WriteKey

LEASE_US = 60_000_000


def test_a_write_key_gives_its_source_until_it_is_revoked(store: Store) -> None:
    secret, other = (store.access.add_write_key(source, now_us=1) for source in ("web", "app"))
    assert len(secret) >= 43
    assert store.access.source_of(secret) == "web"
    assert store.access.source_of(other) == "app"
    assert store.access.source_of(secret[:-1]) is None
    assert store.access.token_of(secret) is None
    assert store.access.revoke_write_keys("web", now_us=2) == 1
    assert store.access.revoke_write_keys("web", now_us=3) == 0
    assert store.access.source_of(secret) is None
    assert list(store.access.write_keys()) == [
        WriteKey(source="app", created_us=1),
        WriteKey(source="web", created_us=1, revoked_us=2),
    ]


def test_a_key_or_token_is_replaced_without_a_gap(store: Store) -> None:
    access = store.access
    old, new = (access.add_write_key("web", now_us=at) for at in (1, 2))
    assert access.revoke_write_keys("web", now_us=3, but_newest=True) == 1
    assert (access.source_of(old), access.source_of(new)) == (None, "web")
    assert access.revoke_write_keys("web", now_us=4, but_newest=True) == 0
    first, second = (access.add_token("desk", "agent", now_us=at) for at in (1, 2))
    assert access.revoke_tokens("desk", now_us=3, but_newest=True) == 1
    assert (access.token_of(first), access.token_of(second) is None) == (None, False)


def test_a_token_gives_its_role_until_it_is_revoked(store: Store) -> None:
    secret = store.access.add_token("ann's laptop", "analyst", now_us=1)
    token = store.access.token_of(secret)
    assert token is not None
    assert (token.label, token.role) == ("ann's laptop", "analyst")
    assert store.access.source_of(secret) is None
    assert store.access.revoke_tokens("ann's laptop", now_us=2) == 1
    assert store.access.token_of(secret) is None
    assert [one.revoked_us for one in store.access.tokens()] == [2]


def test_no_secret_is_in_the_database(url: str) -> None:
    with open_store(url, entropy=lambda n: bytes(range(n))) as store:
        secret = store.access.add_write_key("web", now_us=1)
        rows = store.database.run_alone("select * from write_key")
    assert secret not in str(rows)
    assert bytes(range(32)) not in rows[0]


def test_a_journey_is_published_in_versions(store: Store) -> None:
    first = store.journeys.publish("help", "one", now_us=1)
    assert store.journeys.publish("help", "one", now_us=2) == first
    second = store.journeys.publish("help", "two", now_us=3)
    draft = store.journeys.publish("help", "three", state="draft", now_us=4)
    assert [second.version, draft.version] == [2, 3]
    assert store.journeys.live() == [second]
    assert [one.state for one in store.journeys.versions("help")] == ["retired", "live", "draft"]
    assert store.journeys.set_state("help", 2, "retired")
    assert not store.journeys.set_state("help", 9, "retired")
    assert store.journeys.live() == []


def test_links_are_found_by_name_only(store: Store) -> None:
    link = Link(name="spring", url="https://example.org/spring", campaign="mail", created_us=1)
    store.links.register(Link(name="spring", url="https://example.org/old", created_us=1))
    store.links.register(link)
    assert store.links.find("spring") == link
    assert store.links.find("Spring") is None
    assert store.links.all() == [link]


def test_the_audit_is_read_as_it_was_written(store: Store) -> None:
    for n in range(3):
        store.audit.note("ann", f"did {n}", about="help", now_us=n)
    lines = store.audit.read()
    assert lines[1] == Noted(number=lines[1].number, time_us=1, who="ann", what="did 1", about="help")
    assert store.audit.read(lines[0].number, limit=1) == [lines[1]]


def give(store: Store, *kinds: str) -> None:
    signals = [NewSignal(kind=kind, time_us=1, body=b"{}") for kind in kinds]
    store.results.write("help", Judged(progress=Progress(1), signals=signals), n_erasures=0)


def test_each_webhook_gets_the_kinds_it_wants(store: Store) -> None:
    give(store, "before")
    everything = store.outbox.add_webhook("https://a.example", "s1", now_us=1)
    broken = store.outbox.add_webhook("https://b.example", "s2", kinds=["broken"], now_us=1)
    paused = store.outbox.add_webhook("https://c.example", "s3", now_us=1)
    assert store.outbox.set_webhook(paused.number, "paused")
    assert not store.outbox.set_webhook(99, "paused")
    give(store, "broken", "other")
    due = store.outbox.claim(5, lease_us=LEASE_US)
    assert [(one.signal.kind, one.webhook) for one in due] == [
        ("broken", everything),
        ("broken", broken),
        ("other", everything),
    ]
    assert [one.state for one in store.outbox.webhooks()] == ["active", "active", "paused"]


def test_a_delivery_is_tried_until_it_arrives_or_is_given_up(store: Store) -> None:
    hook = store.outbox.add_webhook("https://a.example", "s", now_us=1)
    give(store, "a", "b")
    first, second = store.outbox.claim(10, lease_us=LEASE_US)
    assert store.outbox.claim(10, lease_us=LEASE_US) == []
    store.outbox.delivered(first.signal.number, hook.number)
    store.outbox.failed(second.signal.number, hook.number, "500 " * 1000, next_us=HOUR_US)
    assert store.outbox.next_due_us() == HOUR_US
    assert store.outbox.claim(HOUR_US - 1, lease_us=LEASE_US) == []
    (again,) = store.outbox.claim(HOUR_US, lease_us=LEASE_US)
    assert (again.signal, again.attempts) == (second.signal, 1)
    (lost,) = store.outbox.claim(HOUR_US + LEASE_US, lease_us=LEASE_US)  # nobody said what became of it
    store.outbox.failed(lost.signal.number, hook.number, "410", next_us=None)
    assert store.outbox.next_due_us() is None
    assert store.outbox.claim(10**15, lease_us=LEASE_US) == []


def test_what_waits_for_a_paused_webhook_goes_on_waiting(store: Store) -> None:
    hook = store.outbox.add_webhook("https://a.example", "s", now_us=1)
    give(store, "a")
    store.outbox.set_webhook(hook.number, "paused")
    assert store.outbox.claim(5, lease_us=LEASE_US) == []
    assert store.outbox.next_due_us() is None
    store.outbox.set_webhook(hook.number, "active")
    assert len(store.outbox.claim(5, lease_us=LEASE_US)) == 1
