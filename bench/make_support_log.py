"""Make the small support log of `examples/support`: `python bench/make_support_log.py [FILE]`.

A broadband firm in Ireland, 2 March to 31 May 2026. The same seed gives the same file, byte for byte. What is true of
it by construction, for whoever wants to find it again in the figures:

* people work Monday to Friday 08:00-20:00 and Saturday 09:00-17:00, Dublin time, not on three bank holidays; queues are
  longest on Mondays and around noon;
* from 20 April to 3 May a router update makes lines of the plan Fibre 500 drop: more contacts, more transfers, more
  customers who come back;
* web forms wait several times longer than calls and chats;
* customers who chase twice or more are far more likely to leave;
* six rows cannot be read and four are copies of others: `FAULTS` and `COPIES` name their lines.
"""

from __future__ import annotations

import csv
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

SEED = 6
N_CASES = 345
ZONE = ZoneInfo("Europe/Dublin")
FIRST, LAST = datetime(2026, 3, 2, tzinfo=ZONE), datetime(2026, 5, 31, 20, tzinfo=ZONE)
HOLIDAYS = {date(2026, 3, 17), date(2026, 4, 6), date(2026, 5, 4)}
HOURS = {**dict.fromkeys(range(5), (8, 20)), 5: (9, 17)}
FIRMWARE = date(2026, 4, 20), date(2026, 5, 3)
HOUR_WEIGHTS = (1, 1, 1, 1, 1, 1, 2, 5, 9, 12, 13, 13, 12, 10, 9, 9, 9, 10, 11, 10, 8, 6, 4, 2)
DAY_WEIGHTS = (15, 12, 11, 10, 10, 7, 5)
TARGET = Path(__file__).parent.parent / "examples" / "support" / "log.csv"
COLUMNS = (
    *("id", "time", "type", "case", "customer", "actor", "team", "channel"),
    *("cost", "revenue", "feeling", "text", "severity", "plan"),
)
FAULTS = {
    311: ("time", "2026-03-32T10:15:00Z"),
    742: ("time", ""),
    1208: ("feeling", "-3"),
    1777: ("cost", "twelve"),
    2304: ("time", "tomorrow"),
    2950: ("feeling", "7"),
}
"""Lines of the file (the header is line 1) that cannot be read: the column and what stands there."""
COPIES = (520, 1530, 2111, 3003)
"""Lines that repeat the line before them, id and all."""

SEVERITIES = {"outage": 26, "slow": 34, "billing": 25, "move": 15}
PLANS = {"Fibre 100": 45, "Fibre 500": 38, "Gigabit": 17}
CHANNELS = {"phone": 44, "web": 31, "chat": 20, "shop": 5}
EXPERTS = {"outage": "Network", "slow": "Technical", "billing": "Billing", "move": "Orders"}
STAFF = {
    "First line": ("Aoife", "Brian", "Ciara", "Declan", "Eimear", "Fionn"),
    "Technical": ("Grainne", "Hugh", "Isolde"),
    "Network": ("Jack", "Kate"),
    "Billing": ("Liam", "Maeve"),
    "Orders": ("Niamh", "Oisin"),
    "Field": ("Padraig", "Rory", "Sinead"),
}
COSTS = {
    "Taken up": 4.0, "Triaged": 1.5, "Identity checked": 1.0, "Question asked": 3.0, "Line tested": 2.0, "Updated": 2.5,
    "Transferred": 3.5, "Visit booked": 5.0, "Visited": 48.0, "Fixed": 6.0,
}  # fmt: skip

FIRST_WORDS = {
    "outage": (
        "No internet since {when}. All lights on the router are red.",
        "We have been offline since {when} and I work from home.",
        "The line is dead again, since {when}.",
        "Nothing works since {when}, not even the phone.",
    ),
    "slow": (
        "I pay for {plan} and get a tenth of it in the evening.",
        "Video calls freeze every few minutes. Started {when}.",
        "The connection drops every half hour since {when}.",
        "Upload has been hopeless since {when}. Restarting does not help.",
    ),
    "billing": (
        "I was charged twice this month.",
        "My bill went up and nobody told me why.",
        "The discount you promised is not on the bill.",
        "Please explain the 25 euro for a visit that never happened.",
    ),
    "move": (
        "We move house on the first. Can the line be there that day?",
        "Moving to a flat two streets away: what do I have to do?",
        "I ordered the move three weeks ago and heard nothing.",
    ),
}
FIRMWARE_WORDS = (
    "Since the update on Monday my router restarts by itself.",
    "The line drops every ten minutes since you changed something in the router.",
    "New firmware, they said. Now it fails five times a day.",
)
QUESTIONS = {
    "outage": ("Which lights are on at the router?", "Is the grey box on the wall switched on?"),
    "slow": ("Could you run a speed test by cable and send us the result?", "Is it slow on every device?"),
    "billing": ("Which invoice do you mean? Please send the number.", "Could you confirm the name on the account?"),
    "move": ("What is the new address, with the Eircode?", "On which day do you get the keys?"),
}
REPLIES = (
    "As I said on the phone: {detail}.",
    "Here you are: {detail}.",
    "{detail}. Anything else?",
    "I told your colleague already: {detail}.",
)
DETAILS = {
    "outage": ("two red lights and one that blinks", "it is on, I checked twice", "no light at all"),
    "slow": ("9 down, 1 up", "all devices, cable too", "41 instead of 500"),
    "billing": ("the one of 3 March", "invoice 40-118", "it is my wife's name"),
    "move": ("12 Harbour Row, D04", "the 28th", "flat 3, first floor"),
}
CHASES = (
    "Any news? I have been waiting since {when}.",
    "Nobody called me back.",
    "This is the second time I ask. What is going on?",
    "Is anyone looking at this?",
    "Still waiting. Please just tell me when.",
)
BACK_WORDS = ("It is back: same problem as before.", "Worked for two days, now it drops again.", "Not fixed after all.")
LEFT_WORDS = ("I have had enough. Please cancel my contract.", "I am switching to somebody who answers.")
DONE = ("Works again.", "Corrected.", "Done, please check.", "Tested and fine.")
PROGRESS = ("We are on it.", "A colleague looks at the line.", "Still testing.")
SORRY = ("Sorry for the wait. We call you today.", "It is with our specialists.")
THANKS = {
    "good": ("Sorted in one go, thank you.", "Friendly and clear.", "Works again. Thanks, {agent}."),
    "fair": ("It works now.", "Took a while, but fine in the end.", "Ok."),
    "poor": ("It works, but I had to explain it three times.", "A week without internet for this?", "Never again."),
}


@dataclass
class Case:
    """A case in the making: where its clock stands, who has it, what it holds so far."""

    key: str
    customer: str
    severity: str
    plan: str
    channel: str
    now: datetime
    firmware: bool
    team: str = "First line"
    agent: str = ""
    n_chased: int = 0
    feeling: float = 0.0
    rows: list[dict[str, str]] = field(default_factory=list)


def opens_next(moment: datetime) -> datetime:
    """The moment itself if somebody is at work, else the next opening."""
    local = moment.astimezone(ZONE)
    while True:
        hours = HOURS.get(local.weekday()) if local.date() not in HOLIDAYS else None
        if hours and local.hour < hours[1]:
            opening = local.replace(hour=hours[0], minute=0, second=0, microsecond=0)
            return max(local, opening).astimezone(UTC)
        local = (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)


def load(moment: datetime) -> float:
    """How long the queue is, compared with a quiet hour: noon and Mondays are worst."""
    local = moment.astimezone(ZONE)
    return (0.6 + HOUR_WEIGHTS[local.hour] / 13) * (1.5 if local.weekday() == 0 else 1.0)


def pick(rng: random.Random, weights: dict[str, int]) -> str:
    return rng.choices(list(weights), list(weights.values()))[0]


def arrivals(rng: random.Random) -> list[datetime]:
    """When cases begin: by hour and weekday, with a third more while the router update does its work."""
    days = (LAST.date() - FIRST.date()).days
    found = []
    while len(found) < N_CASES:
        day = FIRST.date() + timedelta(days=rng.randrange(days))
        heavy = 1.0 if FIRMWARE[0] <= day <= FIRMWARE[1] else 0.7
        if rng.random() < heavy * DAY_WEIGHTS[day.weekday()] / 15:
            hour = rng.choices(range(24), HOUR_WEIGHTS)[0]
            second = rng.randrange(3600)
            start = datetime(day.year, day.month, day.day, hour, tzinfo=ZONE).astimezone(UTC)
            found.append(start + timedelta(seconds=second))
    return sorted(found)


class Firm:
    """Lives every case from first contact to its end, or to the end of the log."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.n_customers = 0
        self.known: list[str] = []

    def cases(self) -> Iterator[Case]:
        for number, start in enumerate(arrivals(self.rng), 1):
            case = self.new_case(f"T{number:04d}", start)
            self.live(case)
            yield case

    def new_case(self, key: str, start: datetime) -> Case:
        severity, plan = pick(self.rng, SEVERITIES), pick(self.rng, PLANS)
        in_period = FIRMWARE[0] <= start.astimezone(ZONE).date() <= FIRMWARE[1]
        firmware = in_period and self.rng.random() < 0.45
        if firmware:
            severity, plan = "slow", "Fibre 500"
        return Case(key, self.customer(), severity, plan, pick(self.rng, CHANNELS), start, firmware)

    def customer(self) -> str:
        if self.known and self.rng.random() < 0.15:
            return self.rng.choice(self.known)
        self.n_customers += 1
        self.known.append(f"C{1000 + self.n_customers}")
        return self.known[-1]

    # --- one event after another --------------------------------------------------------------------------------------

    def wait(self, case: Case, median_h: float, spread: float = 0.7) -> None:
        """Let working time pass: longer where the queue is long."""
        hours = median_h * load(case.now) * self.rng.lognormvariate(0, spread)
        done = opens_next(case.now) + timedelta(seconds=round(hours * 3600))
        case.now = opens_next(done)
        if case.now > done:  # nobody does everything in the first minute of the day
            case.now += timedelta(seconds=self.rng.randrange(60, 5400))

    def pause(self, case: Case, median_h: float, spread: float = 0.8) -> None:
        """Let the customer take their time, by day or night."""
        case.now += timedelta(seconds=round(median_h * self.rng.lognormvariate(0, spread) * 3600))

    def work(self, case: Case, kind: str, text: str = "", *, revenue: float = 0, cost: float | None = None) -> None:
        """Something the firm does."""
        if case.agent not in STAFF[case.team]:
            case.agent = self.rng.choice(STAFF[case.team])
        spent = COSTS.get(kind, 1.0) if cost is None else cost
        values = {"actor": case.agent, "team": case.team, "cost": f"{spent:.2f}", "text": text}
        self.add(case, kind, values | ({"revenue": f"{revenue:.2f}"} if revenue else {}))

    def say(self, case: Case, kind: str, text: str, feeling: float) -> None:
        """Something the customer does."""
        felt = max(-1.0, min(1.0, feeling + self.rng.gauss(0, 0.15)))
        case.feeling = felt
        self.add(case, kind, {"channel": case.channel, "feeling": f"{felt:.2f}", "text": text})

    def add(self, case: Case, kind: str, values: dict[str, str]) -> None:
        row = {"type": kind, "case": case.key, "customer": case.customer, "severity": case.severity, "plan": case.plan}
        if case.now <= LAST:
            case.rows.append({"time": f"{case.now:%Y-%m-%dT%H:%M:%SZ}", **row, **values})

    # --- the story ----------------------------------------------------------------------------------------------------

    def live(self, case: Case) -> None:
        self.first_contact(case)
        if not self.solve(case):
            return
        while self.rng.random() < (0.28 if case.firmware else 0.1):
            self.pause(case, 60, 0.6)
            self.say(case, "Came back", self.rng.choice(BACK_WORDS), -0.55)
            self.wait(case, 0.5)
            self.work(case, "Taken up")
            if not self.solve(case):
                return
        self.afterwards(case)

    def first_contact(self, case: Case) -> None:
        local = case.now.astimezone(ZONE)
        when = self.rng.choice(("this morning", "last night", "yesterday", f"{max(local.hour - 2, 1)} o'clock"))
        words = FIRMWARE_WORDS if case.firmware else FIRST_WORDS[case.severity]
        mood = {"outage": -0.35, "slow": -0.2, "billing": -0.2, "move": 0.1}[case.severity]
        self.say(case, "Contact", self.rng.choice(words).format(when=when, plan=case.plan), mood)
        self.wait(case, 1.0 if case.channel == "web" else 0.12, 0.9)
        self.work(case, "Taken up")
        self.soon(case)
        if case.severity in ("billing", "move"):
            self.work(case, "Identity checked")
            self.soon(case)
        self.work(case, "Triaged", f"severity: {case.severity}")

    def soon(self, case: Case) -> None:
        case.now += timedelta(seconds=self.rng.randrange(60, 900))

    def solve(self, case: Case) -> bool:
        """Work until it is fixed; false where the customer leaves or gives up first."""
        self.wait(case, 0.6)
        if self.rng.random() < 0.48 and not self.ask(case):
            return False
        n_transfers = self.transfers(case)
        for _ in range(n_transfers):
            self.hand_over(case)
            if not self.in_between(case):
                return False
        if case.severity in ("outage", "slow") and self.rng.random() < 0.3 and not self.visit(case):
            return False
        if not self.in_between(case):
            return False
        self.wait(case, 1.4)
        self.work(case, "Fixed", self.rng.choice(DONE))
        return True

    def transfers(self, case: Case) -> int:
        roll = self.rng.random() - (0.25 if case.firmware else 0.0)
        return 0 if roll > 0.55 else 1 if roll > 0.2 else 2 if roll > 0.04 else 3

    def ask(self, case: Case) -> bool:
        """Ask the customer something, sometimes twice; false where no answer ever comes."""
        for _ in range(2 if self.rng.random() < 0.22 else 1):
            self.work(case, "Question asked", self.rng.choice(QUESTIONS[case.severity]))
            if self.rng.random() < 0.15:
                return False
            self.pause(case, 4)
            detail = self.rng.choice(DETAILS[case.severity])
            self.say(case, "Replied", self.rng.choice(REPLIES).format(detail=detail), -0.15 - 0.1 * case.n_chased)
            self.wait(case, 0.8)
        return True

    def hand_over(self, case: Case) -> None:
        expert = EXPERTS[case.severity]
        others = [team for team in ("First line", "Technical", "Network") if team != case.team]
        target = expert if case.team != expert else self.rng.choice(others)
        self.soon(case)
        self.work(case, "Transferred", f"to {target}")
        case.team = target
        self.wait(case, 1.8, 0.9)

    def visit(self, case: Case) -> bool:
        """Send an engineer, nearly always after a test of the line."""
        if self.rng.random() < 0.86:
            self.work(case, "Line tested", self.rng.choice(("noise on the pair", "attenuation high", "no fault found")))
            self.soon(case)
        self.work(case, "Visit booked")
        if not self.in_between(case, waiting=0.5):
            return False
        self.wait(case, 16, 0.5)
        before, case.team = case.team, "Field"
        self.work(case, "Visited", self.rng.choice(("socket replaced", "cable spliced", "router swapped")))
        case.team = before if self.rng.random() < 0.5 else "Field"
        self.soon(case)
        return True

    def in_between(self, case: Case, waiting: float = 0.3) -> bool:
        """Time passes; the customer may be told, may chase, may leave: false where they do."""
        if self.rng.random() < 0.55:
            self.wait(case, 3)
            self.work(case, "Updated", self.rng.choice(PROGRESS))
        if self.rng.random() > waiting + 0.12 * case.n_chased:
            return True
        return self.chase(case)

    def chase(self, case: Case) -> bool:
        self.pause(case, 20, 0.5)
        case.n_chased += 1
        when = "last week" if case.n_chased > 1 else "Monday"
        self.say(case, "Chased", self.rng.choice(CHASES).format(when=when), -0.25 - 0.2 * case.n_chased)
        if self.rng.random() < (0.05 if case.n_chased == 1 else 0.35):
            self.pause(case, 14)
            self.say(case, "Left", self.rng.choice(LEFT_WORDS), -0.85)
            return False
        self.wait(case, 1.1, 0.9)
        self.work(case, "Updated", self.rng.choice(SORRY))
        if self.rng.random() < 0.3:
            self.soon(case)
            amount = self.rng.choice((5, 10, 15, 20))
            self.work(case, "Credit given", f"{amount} euro", cost=amount)
        return True

    def afterwards(self, case: Case) -> None:
        """A word of thanks or not, now and then a larger plan."""
        if self.rng.random() < 0.38:
            self.pause(case, 20, 0.6)
            n_teams = len({row.get("team") for row in case.rows})
            score = 0.75 - 0.3 * case.n_chased - 0.12 * n_teams + self.rng.gauss(0, 0.2)
            kind = "good" if score > 0.35 else "fair" if score > 0 else "poor"
            self.say(case, "Said afterwards", self.rng.choice(THANKS[kind]).format(agent=case.agent), score)
        if case.plan != "Gigabit" and self.rng.random() < 0.05:
            self.wait(case, 5)
            self.work(case, "Upgrade sold", revenue=72.0)


def arranged(cases: Iterator[Case]) -> list[dict[str, str]]:
    """All events by time, numbered; every 40th came in some rows late."""
    rows = sorted((row for case in cases for row in case.rows), key=lambda row: row["time"])
    for place in range(40, len(rows) - 10, 40):
        rows.insert(place + 9, rows.pop(place))
    return [{"id": f"e{number:05d}", **row} for number, row in enumerate(rows, 1)]


def with_faults(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """The rows with `FAULTS` and `COPIES` at their lines."""
    found = list(rows)
    for line in sorted({*FAULTS, *COPIES}):
        index = line - 2
        if line in FAULTS:
            column, value = FAULTS[line]
            model = next(row for row in found[index:] if row.get(column))
            found.insert(index, {**model, "id": f"x{line:05d}", column: value})
        else:
            found.insert(index, found[index - 1])
    return found


def main(target: Path) -> None:
    rows = with_faults(arranged(Firm(SEED).cases()))
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    print(f"{target}: {len(rows):,} rows, {target.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET)
