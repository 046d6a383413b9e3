"""One case of a customer: how it stands, what to do, what was promised, and all that happened, over all channels."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple

from truenorth.console.fields import Field, button
from truenorth.console.first_look import node
from truenorth.console.proposal_view import show_proposal
from truenorth.console.reader import Ask
from truenorth.console.sight import Sight
from truenorth.console.still import Still, tagged
from truenorth.console.timeline_view import show_timeline
from truenorth.console.words import Tone, Words, heading, muted, paragraph, tag
from truenorth.server.api.authority import ApprovalAsked, ask_approval, read_authority
from truenorth.server.api.cases import Case, read_case
from truenorth.server.api.decisions import (
    DecideAsked,
    DecisionOffered,
    LeftShown,
    ReactionAsked,
    decide_case,
    list_decisions,
    react_to_decision,
    read_offered,
)
from truenorth.server.api.given import WordAsked, WordShown, answer_word, give_word, withdraw_word
from truenorth.server.api.risks import Risk
from truenorth.server.api.timeline import Timeline, read_timeline, reread_timeline
from truenorth.store.decisions import LIVE

REASONS = (
    "Already done",
    "The customer does not want it",
    "Not the right moment",
    "Wrong for this case",
    "No time today",
    "Something else is done",
)
"""Reasons for declining that a digit chooses."""
ASKABLE = ("authority", "budget")
"""Stages of the funnel at which an action fell that somebody else may allow."""

CHANGEABLE = (None, "value")
"""Stages of the funnel at which what a person may choose has come: it stayed, or it is only not worth it by itself."""

TONES: Mapping[str, Tone] = {"achieved": "good", "open": "plain"}
"""Of outcomes; the others are bad."""

Act = Callable[[], Awaitable[None]]


class Place(NamedTuple):
    """A case of a customer; a case may name none."""

    journey: str
    case: str
    customer: str | None


class _Found(NamedTuple):
    """What is known of a case: the customer's time line if there is one, how it stands, the decision that holds."""

    line: Timeline | None
    case: Case
    risk: Risk | None
    whole: DecisionOffered | None
    left: list[LeftShown]


class CaseView:
    """Shows one case at a time; ``acted`` is called when something was done about it, then ``declined`` if it was that.

    ``titles``: what journeys are called, by name.
    """

    def __init__(
        self, sight: Sight, titles: Mapping[str, str], acted: Act, declined: Act, *, is_small: bool = False
    ) -> None:
        self._sight = sight
        self._titles = titles
        self._acted = acted
        self._declined = declined
        self._place: Place | None = None
        self._whole: DecisionOffered | None = None
        self._offered: Sequence[Act] = ()
        self._card_shown: tuple[object, ...] = ()
        self._drawn = asyncio.Event()
        self._drawn.set()
        with Words("section", "", "tn-case", aria_label="Case") as self._around:
            self._around.set_visibility(False)  # until there is a case
            self._head = Words("div", "", "tn-card")
            with Words("div", "", "tn-card"):
                heading("What to do")
                self._card = Words("div", "")
                self._buttons = Words("div", "", "tn-buttons")
                self._choices = Words("div", "")
            with Words("div", "", "tn-card"):
                heading("What was promised")
                with Words("div", "", "tn-promising"):
                    self._line = Field("Promise something (p)", hint="such as: call back by 16:00", wide=True)
                    self._line.on("keydown.enter", sight.doing(self._give))
                    button("Promise", sight.doing(self._give))
                self._given = Words("div", "")
            with Words("details", "", "tn-card", open=not is_small):
                Words("summary", "Time line")
                self._time = Words("div", "")

    @property
    def place(self) -> Place | None:
        """The case that is shown."""
        return self._place

    async def show(self, place: Place) -> None:
        """Show another case; that somebody looks is noted.

        What is done by key meanwhile waits until it is there: it is about this case and no other.
        """
        self._place, self._whole = place, None
        self._drawn.clear()
        self._around.classes("tn-coming")
        self._around.set_visibility(True)
        self._line.value = ""
        self._buttons.clear()
        self._offer("", [])
        try:
            await self._draw(is_new=True)
        finally:
            if place == self._place:  # nobody went on meanwhile
                self._around.classes(remove="tn-coming")
                self._drawn.set()

    async def refresh(self) -> None:
        """Show the same case as it is now."""
        if self._place is not None:
            await self._draw(is_new=False)

    async def accept(self) -> None:
        """Accept what is proposed; where nothing is, ask what to do."""
        await self._drawn.wait()
        if self._whole is None or self._whole.decision.state != "proposed":
            await self.ask()
        else:
            await self._react(ReactionAsked(kind="accepted"), "Accepted.")

    async def ask(self) -> None:
        """Ask what to do."""
        assert self._place is not None
        if self._is_live():
            return
        asked = DecideAsked(journey=self._place.journey, case=self._place.case)
        await self._sight.ask(decide_case, asked=asked)
        await self._done("Asked.")

    async def change(self) -> None:
        """Offer the other actions."""
        await self._drawn.wait()
        if self._whole is None:
            return
        titles = self._whole.titles
        chosen = self._whole.decision.chosen
        possible = [one for one in self._whole.candidates if one.stage in CHANGEABLE and one.action in titles]
        possible.sort(key=lambda one: (one.stage is not None, -one.value_cents))
        others = [one.action for one in possible if one.action != chosen]
        if not others:
            self._sight.tell("Nothing else is possible in this case now.")
        self._offer("Do instead", [(titles[name], self._changing(name)) for name in others])

    async def decline(self) -> None:
        """Offer the reasons for declining."""
        await self._drawn.wait()
        if self._is_live():
            self._offer("Why not?", [(reason, self._declining(reason)) for reason in REASONS])

    async def escalate(self) -> None:
        """Offer the actions that somebody else may allow."""
        await self._drawn.wait()
        if self._whole is None:
            return
        fell = [one.action for one in self._whole.candidates if one.stage in ASKABLE]
        if not fell:
            self._sight.tell("Nothing fell for want of authority or budget.")
        titles = self._whole.titles
        self._offer("Ask for", [(titles.get(name, name), self._asking_for(name)) for name in fell])

    async def finish(self) -> None:
        """Say that what was accepted is done, at the cost that was expected."""
        await self._drawn.wait()
        if self._whole is not None and self._whole.decision.state == "accepted":
            done = ReactionAsked(kind="done", cost_cents=self._whole.decision.cost_cents)
            await self._react(done, "Done.")

    async def digit(self, number: int) -> None:
        """Take one of what is offered, from 1."""
        await self._drawn.wait()
        if 0 < number <= len(self._offered):
            await self._offered[number - 1]()

    # ---- what is drawn

    async def _draw(self, *, is_new: bool) -> None:
        place = self._place
        assert place is not None
        found = await self._sight.ask_together(lambda ask: self._read(ask, place, is_new=is_new))
        if place != self._place:  # somebody went on meanwhile
            return
        line, self._whole = found.line, found.whole
        self._head.clear()
        with self._head:
            self._show_head(place, found.case, found.risk)
        card = (found.whole, found.left, found.case.closed)
        if is_new or card != self._card_shown:  # else somebody may be choosing there
            self._card_shown = card
            self._show_card(found.left, has_ended=found.case.closed is not None)
        self._given.clear()
        with self._given:
            for word in line.given if line else ():
                self._show_word(word)
        self._time.clear()
        with self._time:
            if line is None:
                muted("This case names no customer.")
            else:
                show_timeline(self._sight, line, (place.journey, place.case))

    def _read(self, ask: Ask, place: Place, *, is_new: bool) -> _Found:
        """In a thread: all that is drawn."""
        line: Timeline | None = None
        if place.customer is not None:
            line = ask(read_timeline if is_new else reread_timeline, id=place.customer)
        own = [one for one in line.cases if (one.journey, one.case.case) == place[:2]] if line else []
        standing = own[0] if own else ask(read_case, journey=place.journey, case=place.case)
        decisions = ask(list_decisions, journey=place.journey, case=place.case)
        held = next((one for one in decisions if one.state in LIVE), decisions[0] if decisions else None)
        whole = ask(read_offered, id=held.id) if held else None
        left = ask(read_authority, person=self._sight.reader.caller.who, journey=place.journey).left
        return _Found(line, standing.case, standing.risk, whole, left)

    def _show_head(self, place: Place, case: Case, risk: Risk | None) -> None:
        tags = [tagged(case.outcome, TONES.get(case.outcome, "bad"))]
        if risk is not None:
            words = f"risk {self._sight.writing.percent(risk.p_failed)}"
            tags.append(tagged(f"⚠ {words}", "bad") if risk.alarmed else tagged(words))
        where = f", {self._titles.get(place.journey, place.journey)}, since {self._sight.writing.instant(case.opened)}"
        name = node("bdi", place.customer or place.case, class_="tn-name")
        Still(node("p", name, *tags, class_="tn-heading"))
        Still(node("p", node("bdi", case.case), node("span", where), class_="tn-muted"))
        if risk is not None and risk.why:
            added = (f"{'raises' if why.added > 0 else 'lowers'} the risk: {why.words}" for why in risk.why)
            Still(node("ul", *(node("li", words) for words in added), class_="tn-why"))

    def _show_card(self, left: list[LeftShown], *, has_ended: bool) -> None:
        self._card.clear()
        self._buttons.clear()
        self._offer("", [])
        whole, doing = self._whole, self._sight.doing
        with self._card:
            if has_ended:
                paragraph("The case has ended.")
            if whole is None:
                paragraph("Nothing was decided about this case.")
            else:
                show_proposal(self._sight, whole, left)
        if has_ended and not self._is_live():
            return
        with self._buttons:
            if not self._is_live():
                button("Ask what to do (a)", doing(self.ask), is_main=True)
            elif whole is not None and whole.decision.state == "proposed":
                button("Accept (a)", doing(self.accept), is_main=True)
            else:
                button("Done (f)", doing(self.finish), is_main=True)
            if whole is not None and whole.decision.state in {"proposed", "nothing"}:
                button("Change (c)", doing(self.change))
                button("Ask approval (r)", doing(self.escalate))
            if self._is_live():
                button("Decline (d)", doing(self.decline))

    def _show_word(self, word: WordShown) -> None:
        tones = {"kept": "good", "broken": "bad"}
        with Words("p", "", "tn-word"):
            Words("bdi", word.what, "tn-type")
            Words("span", f"by {self._sight.writing.instant(word.due)}", "tn-beside")
            said = "owed no more" if word.state == "withdrawn" else word.verdict.replace("open", "waits")
            tag(said, tones.get(word.verdict, "plain"))  # type: ignore[arg-type]
            if word.state == "waiting":
                button("Done", self._sight.doing(self._answering(word)))
                button("Take back", self._sight.doing(self._withdrawing(word)))

    def _offer(self, words: str, offered: Sequence[tuple[str, Act]]) -> None:
        """Offer a choice; digits choose."""
        self._offered = [act for _, act in offered]
        self._choices.clear()
        if not offered:
            return
        with self._choices:
            Words("h3", words)
            with Words("div", "", "tn-buttons", role="group", aria_label=words):
                for n, (label, act) in enumerate(offered, 1):
                    button(f"{n} {label}", self._sight.doing(act))

    def _is_live(self) -> bool:
        return self._whole is not None and self._whole.decision.state in LIVE

    # ---- what is done

    def _changing(self, action: str) -> Act:
        async def change() -> None:
            await self._react(ReactionAsked(kind="changed", action=action), "Changed.")

        return change

    def _declining(self, reason: str) -> Act:
        async def decline() -> None:
            place = self._place
            await self._react(ReactionAsked(kind="declined", reason=reason), "Declined.")
            if place == self._place:  # nobody went on meanwhile
                await self._declined()

        return decline

    def _asking_for(self, action: str) -> Act:
        async def ask() -> None:
            assert self._whole is not None
            asked = ApprovalAsked(action=action)
            await self._sight.ask(ask_approval, id=self._whole.decision.id, asked=asked)
            await self._done("Asked for; those who may are told.")

        return ask

    def _answering(self, word: WordShown) -> Act:
        async def answer() -> None:
            await self._sight.ask(answer_word, id=word.customer, promise=word.id)
            await self._done("Kept.")

        return answer

    def _withdrawing(self, word: WordShown) -> Act:
        async def withdraw() -> None:
            await self._sight.ask(withdraw_word, id=word.customer, promise=word.id)
            await self._done("Taken back.")

        return withdraw

    async def _give(self) -> None:
        place = self._place
        if place is None or place.customer is None:
            self._sight.tell("This case names no customer.", "bad")
            return
        asked = WordAsked(
            text=str(self._line.value),
            timezone=str(self._sight.writing.zone),
            journey=place.journey,
            case=place.case,
        )
        word = await self._sight.ask(give_word, id=place.customer, asked=asked)
        self._line.value = ""
        await self._done(f"Promised: {word.what} by {self._sight.writing.instant(word.due)}.")

    async def _react(self, asked: ReactionAsked, said: str) -> None:
        assert self._whole is not None
        await self._sight.ask(react_to_decision, id=self._whole.decision.id, asked=asked)
        await self._done(said)

    async def _done(self, said: str) -> None:
        self._sight.tell(said, "good")
        await self.refresh()
        await self._acted()
