"""Desk: how clients are set up to send here; to be copied and pasted."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

import msgspec

from truenorth.console.fields import copy_button
from truenorth.console.registry import Page
from truenorth.console.sight import Sight
from truenorth.console.words import Words, heading, link, muted

Client = Literal["Segment", "RudderStack", "PostHog", "CloudEvents", "curl"]

SNIPPETS: dict[Client, tuple[tuple[str, str], ...]] = {
    "Segment": (
        (
            "Browser",
            "AnalyticsBrowser.load(\n  { writeKey: 'WRITE_KEY', cdnURL: 'ADDRESS' },\n"
            "  { integrations: { 'Segment.io': { apiHost: 'HOST/v1', protocol: 'SCHEME' } } },\n)",
        ),
        ("Node", "const analytics = new Analytics({ writeKey: 'WRITE_KEY', host: 'ADDRESS' })"),
        (
            "Python",
            'import segment.analytics as analytics\n\nanalytics.write_key = "WRITE_KEY"\nanalytics.host = "ADDRESS"',
        ),
    ),
    "RudderStack": (
        ("Browser", "analytics.load('WRITE_KEY', 'ADDRESS', { configUrl: 'ADDRESS' })"),
        ("Node", "const analytics = new RudderAnalytics('WRITE_KEY', { dataPlaneUrl: 'ADDRESS' })"),
        (
            "Python",
            "import rudderstack.analytics as analytics\n\n"
            'analytics.write_key = "WRITE_KEY"\nanalytics.dataPlaneUrl = "ADDRESS"',
        ),
    ),
    "PostHog": (
        (
            "Browser",
            "posthog.init('WRITE_KEY', {\n  api_host: 'ADDRESS',\n  disable_session_recording: true,\n"
            "  disable_external_dependency_loading: true,\n})",
        ),
        ("Node", "const posthog = new PostHog('WRITE_KEY', { host: 'ADDRESS' })"),
        ("Python", 'from posthog import Posthog\n\nposthog = Posthog("WRITE_KEY", host="ADDRESS")'),
    ),
    "CloudEvents": (
        (
            "HTTP",
            "curl ADDRESS/events -H 'Authorization: Bearer WRITE_KEY' \\\n"
            "  -H 'Content-Type: application/cloudevents+json' \\\n"
            '  -d \'{"specversion": "1.0", "id": "1", "source": "/shop", "type": "order.completed", '
            '"subject": "u1", "data": {"case": "o-1"}}\'',
        ),
    ),
    "curl": (
        (
            "HTTP",
            "curl ADDRESS/v1/track -H 'X-Write-Key: WRITE_KEY' \\\n"
            '  -d \'{"event": "Called", "userId": "u1", "messageId": "call-1", "properties": {"case": "o-1"}}\'',
        ),
    ),
}


class Filters(msgspec.Struct, frozen=True):
    """Which client."""

    client: Client = "Segment"


async def build(sight: Sight, filters: Filters) -> None:
    """The snippets of a client, with the address of this service."""
    with Words("p", "", "tn-muted"):
        Words("span", "Put a write key where WRITE_KEY stands")
        if sight.may("admin"):
            Words("span", "; make one under ")
            link("Keys", "/desk/keys")
        Words("span", ". What cannot be an event is in the ")
        link("quarantine", "/desk/quarantine")
        Words("span", ".")
    for place, snippet in SNIPPETS[filters.client]:
        heading(f"{filters.client}: {place}")
        Words("code", written(snippet, sight.service), "tn-code", tabindex="0", aria_label=f"{filters.client}: {place}")
        copy_button(place)
    muted("The clients are used as they are; only the address is another one.")


def written(snippet: str, address: str) -> str:
    """A snippet for a service.

    >>> written("HOST/v1 SCHEME ADDRESS", "https://truenorth.example")
    'truenorth.example/v1 https https://truenorth.example'
    """
    parts = urlsplit(address)
    return snippet.replace("ADDRESS", address).replace("HOST", parts.netloc).replace("SCHEME", parts.scheme)


PAGES = (
    Page(
        path="/desk/connect",
        title="Connect",
        group="Run",
        role="analyst",
        filters=Filters,
        how=("The service takes what these clients send, unmodified: they are told another address and a write key.",),
        build=build,
    ),
)
