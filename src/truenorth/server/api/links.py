"""Links of campaigns: `/r/{name}` leads to a registered address, and to no other."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import AfterValidator, BaseModel, Field

from truenorth.server.api.context import Instant, Served, Text, showing, shown
from truenorth.server.auth import Analyst
from truenorth.server.links import ADDRESS_FORM, is_address
from truenorth.server.receiving import Turned
from truenorth.store.rows import Link

ROUTER = APIRouter(tags=["links"])
SHOWN = {
    "name": "spring",
    "url": "https://shop.example/spring",
    "campaign": "spring-mail",
    "created": "2026-01-05T09:30:00.000000Z",
}
LinkName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,80}$")]


def _is_target(url: str) -> str:
    if not is_address(url):
        raise ValueError(f"expected {ADDRESS_FORM}")
    return url


class LinkAsked(BaseModel):
    """Where a link leads."""

    model_config = showing({"url": SHOWN["url"], "campaign": SHOWN["campaign"]}, extra="forbid")
    url: Annotated[Text, AfterValidator(_is_target)]
    campaign: Text | None = None


class LinkShown(BaseModel):
    """A link."""

    model_config = showing(SHOWN)
    name: str
    url: str
    campaign: str | None
    created: Instant


@ROUTER.get("/links")
def list_links(served: Served, caller: Analyst) -> list[LinkShown]:
    """All links by name. Role: analyst."""
    return [LinkShown(**shown(link)) for link in served.store.links.all()]


@ROUTER.put("/links/{name}")
def set_link(served: Served, caller: Analyst, name: LinkName, asked: LinkAsked) -> LinkShown:
    """Add a link, or change where it leads. Role: analyst."""
    link = Link(name=name, url=asked.url, campaign=asked.campaign, created_us=served.now_us())
    served.store.links.register(link)
    served.note(caller, "set a link", f"link {name}")
    return LinkShown(**shown(link))


@ROUTER.delete("/links/{name}", status_code=204)
def remove_link(served: Served, caller: Analyst, name: LinkName) -> None:
    """Remove a link: it leads nowhere from now on. Role: analyst."""
    if not served.store.links.remove(name):
        raise Turned(404, "unknown_link", "there is no link of this name; see /api/v1/links")
    served.note(caller, "removed a link", f"link {name}")
