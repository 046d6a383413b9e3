"""A draft journey file: every line with the evidence for it, every question that only a person can answer."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from os import fspath
from pathlib import Path

import polars as pl

from truenorth.discovery.emit import comments, identifier, one_of, quoted_field, scalar
from truenorth.discovery.lifecycle import Pairs, find_pairs, lifecycle_column
from truenorth.discovery.mapping import Guess, columns_of, guess_fields
from truenorth.discovery.milestones import Milestones, find_milestones
from truenorth.discovery.moments import find_decisions, find_handovers, find_moments
from truenorth.discovery.promises import MANY_TYPES, Findings, Proposal, propose
from truenorth.discovery.proof import choose, outcome_sentence, try_out
from truenorth.discovery.sequences import MAX_TYPE_LENGTH, MAX_TYPES, Sequences, arrange, thinned
from truenorth.discovery.wording import listed, shown
from truenorth.logs import Log, Progress, peek, read_log
from truenorth.spec.counted import counted
from truenorth.spec.durations import write_duration
from truenorth.spec.problems import UnreadableLog

PEEKED_ROWS = 50_000
MONEY = ("cost", "revenue", "feeling")
UNANSWERED = "not answered yet"


@dataclass(frozen=True, eq=False)
class Sketch:
    """What is known of a log when its draft is written."""

    name: str
    guess: Guess
    pairs: Pairs | None
    findings: Findings
    notes: tuple[str, ...]


def discover(
    path: str | Path,
    *,
    fields: Mapping[str, str] | None = None,
    object_type: str | None = None,
    on_progress: Progress | None = None,
) -> str:
    """Draft a journey file from a log: YAML that loads without errors, with the evidence for each guess as comments.

    ``fields`` maps canonical fields to columns where the caller knows better; ``object_type`` chooses what a case is in
    an OCEL file; ``on_progress`` is told the stage and its share. Raises `UnreadableLog` where the file cannot be
    read or holds no instants.
    """
    tell = on_progress or (lambda _stage, _share: None)
    tell("looking at columns", 0.0)
    head = peek(path, PEEKED_ROWS, object_type=object_type)
    what_a_case_is = {} if object_type is None else {"case": "case"}
    guess = guess_fields(head, {**what_a_case_is, **(fields or {})})
    column = lifecycle_column(head.columns)
    tell("reading events", 0.1)
    log, guess = _read(path, guess, fields or {}, [column] if column else [], object_type)
    events, every = thinned(log.events)
    tell("looking at cases", 0.5)
    pairs = find_pairs(events, column)
    sequences = arrange(events if pairs is None else pairs.keep(events))
    milestones = find_milestones(sequences)
    findings = Findings(milestones, find_moments(milestones), find_handovers(milestones.episodes))
    sketch = Sketch(Path(path).name, guess, pairs, findings, _notes(log, events, sequences, every))
    tell("proposing promises", 0.7)
    proposals = propose(findings)
    first = try_out(write(sketch, proposals), events)
    tell("trying the draft out", 0.9)
    outcome = outcome_sentence(first, has_success=bool(milestones.achieved))
    return write(sketch, choose(proposals, first["promises"]), outcome)


def _read(
    path: str | Path, guess: Guess, given: Mapping[str, str], more: Sequence[str], object_type: str | None
) -> tuple[Log, Guess]:
    """The log by a guess; without money that was only guessed, where the whole column turns out not to hold numbers."""
    columns = [*columns_of(guess.fields), *more]
    try:
        return read_log(fspath(path), fields=guess.fields, columns=columns, object_type=object_type), guess
    except UnreadableLog:
        doubtful = [name for name in MONEY if name in guess.fields and name not in given]
        if not doubtful:
            raise
    kept = {name: column for name, column in guess.fields.items() if name not in doubtful}
    note = f"{', '.join(doubtful)}: what looked like numbers at the beginning of the file is none; left out."
    guess = Guess(kept, guess.evidence, (*guess.notes, note))
    return read_log(fspath(path), fields=kept, columns=columns, object_type=object_type), guess


def _notes(log: Log, events: pl.DataFrame, sequences: Sequences, every: int) -> tuple[str, ...]:
    notes = []
    if log.quarantine.height:
        notes.append(f"{counted(log.quarantine.height, 'row')} could not be read: left out.")
    if log.n_duplicates:
        notes.append(f"{counted(log.n_duplicates, 'row repeats', 'rows repeat')} the id of an earlier one: left out.")
    if log.n_duplicates > log.n_events:
        notes.append("Most rows are left out so: if the column 'id' is not the id of an event, give it another name.")
    if every > 1:
        notes.append(f"The log is long: only one case in {every} was looked at ({events.height:,} events).")
    if events.height and not sequences.n_events:
        notes.append("No event has a key: map case or customer, or nothing can be followed.")
    if not sequences.names:
        notes.append("No column says what happened: map type, or nothing can be told apart.")
    n_types = len(sequences.names)
    if n_types > MAX_TYPES:
        fewer = (
            " So many cannot be compared with each other: few promises are proposed." if n_types > MANY_TYPES else ""
        )
        notes.append(f"{n_types:,} types of events; only the {MAX_TYPES} of the most cases are looked at.{fewer}")
    n_long = sum(len(name) > MAX_TYPE_LENGTH for name in sequences.names)
    if n_long:
        have = "type has a name" if n_long == 1 else "types have names"
        notes.append(f"{n_long:,} {have} of more than {MAX_TYPE_LENGTH} characters: not named here.")
    return tuple(notes)


# --- writing ----------------------------------------------------------------------------------------------------------


def write(sketch: Sketch, promises: Sequence[Proposal], outcome: str = "") -> str:
    """The text of a draft."""
    milestones = sketch.findings.milestones
    name = identifier(sketch.name.split(".")[0], 60)
    parts = [
        _head(sketch, outcome),
        ["truenorth: 1", f"journey: {name}", f"title: {scalar(name.replace('_', ' '))}"],
        comments(["In which currency are cost, revenue and value? currency: EUR"]),
        _fields(sketch.guess),
        _canvas(sketch, milestones),
        _only(sketch.pairs),
        _need(milestones),
        _outcome(milestones),
        _moments(sketch),
        _decisions(milestones),
        _promises(promises),
    ]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def _head(sketch: Sketch, outcome: str) -> list[str]:
    sequences = sketch.findings.sequences
    what = "episodes of customers" if sequences.by_customer else "cases"
    first = (
        f"A draft, made by 'truenorth discover' from {sketch.name[:200]}: {counted(sequences.n_events, 'event')} in "
    )
    first += f"{sequences.n_cases:,} {what}, {len(sequences.names):,} types of events."
    rules = (
        "All of it is guessed from the log; the evidence stands above each line. A log knows what happened, not what "
        "the customer came for: where a comment asks, a person has to answer."
    )
    return comments([first, rules, *([outcome] if outcome else []), *sketch.notes])


def _fields(guess: Guess) -> list[str]:
    lines = ["fields:"] if guess.fields else []
    for name, column in guess.fields.items():
        lines += [*comments([guess.evidence.get(name, "")], 2), f"  {name}: {scalar(column)}"]
    return [*lines, *comments(guess.notes, 2 if lines else 0)]


def _canvas(sketch: Sketch, milestones: Milestones) -> list[str]:
    customers = sketch.guess.fields.get("customer")
    known = f" The log names them in {shown(customers)}." if customers else ""
    handovers = sketch.findings.handovers
    harms = f"{handovers.per_case.mean():.1f} hand-overs in a case on average" if handovers else UNANSWERED
    lines = ["canvas:"]
    lines += comments([f"1. Who is the customer, the one whose money keeps you going?{known}"], 2)
    lines += [f"  customer: {UNANSWERED}"]
    lines += comments(["2. What do they expect today, told as it is?"], 2)
    lines += [f"  expects: {UNANSWERED}"]
    lines += comments(["3. What do they think they are in? Not 'claims', but 'back on the road'."], 2)
    lines += [f"  believes: {UNANSWERED}"]
    lines += comments(["4. What do you do now that affects their success, for good and for bad?"], 2)
    lines += ["  affects:", "    helps:", f"      - {UNANSWERED}", "    harms:", f"      - {scalar(harms)}"]
    lines += comments(
        ["5. What must be true for the customer at the end? With numbers: measured here, not yet promised."], 2
    )
    lines += ["  outcome:", f"    - {scalar(_measured(milestones))}"]
    lines += comments(["6. And in a few words?"], 2)
    return [*lines, f"  one_liner: {UNANSWERED}"]


def _measured(milestones: Milestones) -> str:
    if not milestones.achieved:
        return UNANSWERED
    what = listed(milestones.achieved, 2)
    if milestones.within_us:
        return f"{what} within {write_duration(milestones.within_us)}"
    return what


def _only(pairs: Pairs | None) -> list[str]:
    if pairs is None:
        return []
    return [*comments([pairs.evidence]), f"only: {scalar(one_of(quoted_field(pairs.column), pairs.values))}"]


def _need(milestones: Milestones) -> list[str]:
    why = comments(milestones.why.get("need", ()))
    if milestones.need:
        return [*why, f"need: {scalar(one_of('type', milestones.need))}"]
    return [*why, "need: time is not null"] if milestones.episodes.by_customer else why


def _outcome(milestones: Milestones) -> list[str]:
    lines = ["outcome:"]
    conditions = (("achieved", milestones.achieved), ("failed", milestones.failed))
    for key, names in conditions:
        lines += comments(milestones.why.get(key, ()), 2)
        lines += [f"  {key}: {scalar(one_of('type', names))}"] if names else []
    durations = (
        ("within", milestones.within_us, ()),
        ("holds_for", milestones.holds_for_us, milestones.reopened),
        ("abandoned_after", milestones.abandoned_after_us, ()),
    )
    for key, duration_us, names in durations:
        lines += comments(milestones.why.get("reopened" if names else key, ()), 2)
        lines += [f"  {key}: {write_duration(duration_us)}"] if duration_us else []
        lines += [f"  reopened: {scalar(one_of('type', names))}"] if names else []
    lines += comments(["What is each outcome worth to you, in money? Without it nothing can be weighed."], 2)
    return [*lines, "  value:", "    achieved: 0", "    failed: 0", "    abandoned: 0"]


def _moments(sketch: Sketch) -> list[str]:
    moments, handovers = sketch.findings.moments, sketch.findings.handovers
    why = [*moments.why, *([handovers.sentence()] if handovers else [])]
    if moments.everything:
        return [*comments(why), "moments: time is not null"]
    return [*comments(why), *([f"moments: {scalar(one_of('type', moments.names))}"] if moments.names else [])]


def _decisions(milestones: Milestones) -> list[str]:
    names, why = find_decisions(milestones)
    if not names:
        return []
    lines = [
        "decisions:",
        *comments([*why, "Why does each of these rules exist, who owns it, when was it last looked at?"], 2),
    ]
    return [*lines, "  - name: rules_applied", f"    when: {scalar(one_of('type', names))}"]


def _promises(promises: Collection[Proposal]) -> list[str]:
    if not promises:
        return comments(
            ["No promise is proposed: nothing in this log happens often enough, in most cases but not in all."]
        )
    lines = ["promises:"]
    for one in promises:
        lines += [*comments(one.why, 2), f"  - name: {one.name}"]
        lines += [f"    {key}: {_value(value)}" for key, value in one.keys]
    return lines


def _value(value: str | float) -> str:
    if isinstance(value, str):
        return scalar(value)
    return str(int(value)) if float(value).is_integer() else repr(float(value))
