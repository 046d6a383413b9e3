"""What the commands print: results on standard output, everything else on standard error."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from zoneinfo import ZoneInfo

import polars as pl
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from truenorth.engine.compile import used_fields
from truenorth.engine.replay import Replay
from truenorth.explanation import Explanation
from truenorth.logs import Log
from truenorth.printing.terminal import err, out, write_json
from truenorth.spec.counted import counted, priced
from truenorth.spec.durations import format_duration
from truenorth.spec.load import Loaded
from truenorth.spec.model import Journey
from truenorth.spec.problems import Problem, TruenorthError
from truenorth.wiring.journey import COMPILING, is_in_the_future

if TYPE_CHECKING:
    from truenorth.simulate.company import Company
    from truenorth.simulate.produce import Produced
    from truenorth.simulate.stream import Streamed

N_REASONS = 5
"""Reasons of quarantined rows that are shown."""
N_EXPLAINED = 200
"""Events, and verdicts, of a case that are shown."""

VERDICT_STYLES = {"kept": "green", "broken": "red", "lapsed": "dim", "open": "yellow"}
OUTCOME_STYLES = {"achieved": "green", "failed": "red", "abandoned": "magenta", "open": "yellow"}


def problems(loaded: Loaded, *, as_json: bool) -> None:
    """Every problem of a journey file."""
    if as_json:
        write_json({"ok": not loaded.errors, "problems": loaded.problems})
        return
    for problem in loaded.problems:
        _problem(out, loaded.name, problem)
    verdict = f"{counted(len(loaded.errors), 'error')}, {counted(len(loaded.warnings), 'warning')}"
    out.print(f"[{'red' if loaded.errors else 'green'}]{escape(loaded.name)}: {verdict}[/]")


def refused(error: TruenorthError, *, as_json: bool) -> None:
    """Why an input cannot be used."""
    if as_json:
        write_json({"ok": False, "problems": error.problems})
        return
    for problem in error.problems:
        _problem(err, error.source, problem)


def _problem(console: Console, name: str, problem: Problem) -> None:
    style = "red" if problem.severity == "error" else "yellow"
    console.print(f"[{style}]{problem.severity}[/] {escape(_place(name, problem))}")
    console.print(f"  expected {escape(problem.expected)}, found {escape(problem.found)}")
    if problem.hint:
        console.print(f"  [dim]{escape(problem.hint)}[/]")


def _place(name: str, problem: Problem) -> str:
    """The file, the line where there is one, and the place in it; a path that is no place in the file stands alone."""
    if not name or not problem.path.startswith("$"):
        return problem.path
    return f"{name}:{problem.line} {problem.path}" if problem.line else f"{name} {problem.path}"


def notes(log: Log, replay: Replay | None, *, kept: bool) -> None:
    """What is worth knowing about how a log was read, and what could not be."""
    for note in log.notes:
        err.print(f"[dim]note: {escape(note)}[/]")
    for name in sorted(used_fields(replay.journey) - set(log.events.columns)) if replay else ():
        err.print(f"[yellow]note: the log has no field '{escape(name)}': it is null everywhere[/]")
    if replay and replay.watermark and is_in_the_future(replay.watermark):
        err.print(f"[yellow]note: the log is shown as of {replay.watermark:%Y-%m-%d %H:%M} UTC, in the future[/]")
        err.print("  what is due until then counts as missed; --now T leaves out what comes after T")
    if replay and (n_later := log.n_events - replay.summary["events"]):
        err.print(f"[dim]note: {counted(n_later, 'event')} after --now left out[/]")
    if not log.quarantine.height:
        return
    err.print(f"[yellow]{counted(log.quarantine.height, 'row')} could not be read[/]")
    for line, reason in log.quarantine.select("line", "reason").head(N_REASONS).iter_rows():
        err.print(f"  line {line}: {escape(reason)}")
    if log.quarantine.height > N_REASONS:
        err.print(
            f"  and {log.quarantine.height - N_REASONS:,} more"
            + ("" if kept else "; 'truenorth replay --out DIR' keeps them all")
        )


class Summarised(Protocol):
    """A journey and what a log came to, wherever it was judged."""

    @property
    def journey(self) -> Journey:
        """The journey."""

    @property
    def summary(self) -> Mapping[str, Any]:
        """The keys of the reference's section 4."""


def summary(replay: Summarised, written: Sequence[Path | str], *, as_json: bool) -> None:
    """The summary of a replay."""
    if as_json:
        write_json(replay.summary)
        return
    numbers, journey = replay.summary, replay.journey
    out.print(f"[bold]{escape(journey.title or journey.name)}[/]")
    out.print(_events_line(numbers))
    out.print(_outcome_table(numbers))
    if numbers["promises"]:
        out.print(_promise_table(numbers))
    counts = (
        ", ".join(counted(numbers[f"{name}s"], word) for name, word in _COUNTED) + f", {numbers['internal']:,} internal"
    )
    out.print(counts)
    sums = ", ".join(
        f"{name} {priced(f'{numbers[name]:,.2f}', journey.currency)}" for name in ("cost", "revenue", "value")
    )
    out.print(escape(sums))
    wrote(written)


_COUNTED = (("moment", "moment"), ("handover", "hand-over"), ("decision", "decision"))


def _events_line(numbers: Mapping[str, Any]) -> str:
    left_out = ("quarantined", "duplicates", "filtered", "no_key", "before_need", "after_close")
    rest = ", ".join(f"{numbers[name]:,} {name.replace('_', ' ')}" for name in left_out if numbers[name])
    head = f"{counted(numbers['events'], 'event')}, {counted(numbers['cases'], 'case')} in {numbers['seconds']:.1f} s"
    return f"{head} ({rest})" if rest else head


def _outcome_table(numbers: Mapping[str, Any]) -> Table:
    table = Table("outcome", box=None, pad_edge=False)
    table.add_column("cases", justify="right")
    table.add_column("share", justify="right")
    for name, n in numbers["outcome"].items():
        share = f"{n / numbers['cases']:.1%}" if numbers["cases"] else "-"
        table.add_row(f"[{OUTCOME_STYLES[name]}]{name}[/]", f"{n:,}", share)
    return table


def _promise_table(numbers: Mapping[str, Any]) -> Table:
    table = Table("promise", box=None, pad_edge=False)
    for name in ("kept", "broken", "lapsed", "open", "kept of decided"):
        table.add_column(name, justify="right")
    for promise, n in numbers["promises"].items():
        decided = n["kept"] + n["broken"]
        share = f"{n['kept'] / decided:.1%}" if decided else "-"
        table.add_row(escape(promise), *(f"{n[name]:,}" for name in VERDICT_STYLES), share)
    return table


def explained(explanation: Explanation, timezone: str, *, as_json: bool) -> None:
    """A case on a time line, its outcome and its promises."""
    if as_json:
        timeline = explanation.timeline.to_dicts()
        write_json(
            {
                "case": explanation.case,
                "outcome": explanation.outcome,
                "promises": explanation.promises,
                "events": timeline,
            }
        )
        return
    row = explanation.case
    customer = f", customer {row['customer']}" if row["customer"] else ""
    out.print(f"[bold]Case {escape(row['case'] + customer)}[/]  [dim](times in {escape(timezone)})[/]")
    out.print(f"[{OUTCOME_STYLES[row['outcome']]}]{escape(explanation.outcome)}[/]\n")
    zone, n_between = ZoneInfo(timezone), explanation.timeline.height - N_EXPLAINED
    if n_between <= 0:
        out.print(_timeline(explanation.timeline, zone))
    else:
        out.print(_timeline(explanation.timeline.head(N_EXPLAINED // 2), zone))
        out.print(f"\n[dim]... {counted(n_between, 'event')} in between; --json has all of them ...[/]\n")
        out.print(_timeline(explanation.timeline.tail(N_EXPLAINED // 2), zone))
    out.print()
    _verdicts(explanation.promises)


def _verdicts(instances: Sequence[Mapping[str, Any]]) -> None:
    """Why each promise has its verdict; of very many, those that a reader wants to see first."""
    for instance in instances[:N_EXPLAINED]:
        verdict, rest = instance["sentence"].split(":", 1)
        out.print(f"[{VERDICT_STYLES[instance['verdict']]}]{verdict}:[/]{escape(rest)}")
    if len(instances) > N_EXPLAINED:
        more = Counter(instance["verdict"] for instance in instances[N_EXPLAINED:])
        told = ", ".join(f"{n:,} {verdict}" for verdict, n in more.items())
        out.print(f"[dim]... and {told} more; --json has all of them[/]")


_WHO = ("actor", "team", "channel")


def _timeline(events: pl.DataFrame, zone: ZoneInfo) -> Table:
    who = [name for name in _WHO if name in events.columns]
    table = Table(box=None, pad_edge=False)
    for name in ("time", "after", "what", "is", *who):
        table.add_column(name, no_wrap=name in ("time", "after"), overflow="fold")
    previous = None
    for event in events.iter_rows(named=True):
        time = event["time"].astimezone(zone)
        after = "" if previous is None else _gap(time - previous)
        kind = "+".join(name for name in ("moment", "decision", "internal") if event[name])
        kind += " after hand-over" if event["handover"] else ""
        cells = [event.get("type"), kind, *(event[name] for name in who)]
        table.add_row(f"{time:%Y-%m-%d %H:%M:%S}", after, *(escape(str(cell or "")) for cell in cells))
        previous = time
    return table


def _gap(gap: timedelta) -> str:
    return f"+{format_duration(gap // timedelta(microseconds=1))}" if gap else "+0 s"


def draft(text: str, log: Path, output: Path | None, *, as_json: bool) -> None:
    """A drafted journey file, or where it went."""
    if as_json:
        write_json({"draft": text, "written": _listed([output] if output else [])})
        return
    if output is None:
        sys.stdout.write(text)
        return
    wrote([output])
    err.print(f"next: truenorth check {escape(str(output))} --log {escape(str(log))}")


_FAULT_WORDS = {
    "duplicates": "duplicates",
    "disorder": "out of order",
    "lateness": "late",
    "clock_skew": "by a clock that is off",
    "missing": "values missing",
    "identity": "customers anonymous at first",
}


def simulated(produced: Produced, company: Company, seed: int, *, as_json: bool) -> None:
    """What a made-up company gave, and where it went."""
    streamed = produced.streamed
    if as_json:
        made = {"customers": company.n_customers, "days": company.days, "start": company.start, "seed": seed}
        found = {"events": produced.n_events, "arrivals": produced.n_arrivals, "faults": produced.faults}
        went = {"written": _listed(produced.written), "streamed": streamed}
        write_json(made | found | went | {"seconds": produced.seconds})
        return
    out.print(
        f"{counted(company.n_customers, 'customer')}, {counted(company.days, 'day')} from {company.start}, "
        f"seed {seed}: {counted(produced.n_events, 'event')} in {produced.seconds:.1f} s"
    )
    faults = [f"{n:,} {_FAULT_WORDS[name]}" for name, n in produced.faults.items() if n]
    if faults:
        out.print(f"{counted(produced.n_arrivals, 'arrival')}: {', '.join(faults)}")
    if streamed:
        _streamed(streamed)
    wrote(produced.written)


def _streamed(streamed: Streamed) -> None:
    if streamed.interrupted:
        err.print("[yellow]the stream was interrupted[/]")
    sent = f"{streamed.n_sent:,} of {counted(streamed.n_events, 'event')} sent"
    counts = {"delivered": streamed.n_delivered, "failed": streamed.n_failed, "undelivered": streamed.n_undelivered}
    out.print(f"{sent}: {', '.join(f'{n:,} {name}' for name, n in counts.items())}")
    for reason in streamed.reasons:
        err.print(f"[red]{escape(reason)}[/]")


def reported(replay: Summarised, page: Path, *, as_json: bool) -> None:
    """A report: where it went, and how much it shows."""
    wrote([page], as_json=as_json, events=replay.summary["events"], cases=replay.summary["cases"])


def converted(log: Log, output: Path, *, as_json: bool) -> None:
    """A log in another format: where it went, and how much of it could be read."""
    counts = {"events": log.n_events, "quarantined": log.quarantine.height, "duplicates": log.n_duplicates}
    wrote([output], as_json=as_json, **counts, notes=log.notes)


def wrote(paths: Sequence[Path | str], *, as_json: bool = False, **further: Any) -> None:
    """Files that were written; as JSON with what else is known of them."""
    if as_json:
        write_json({"written": _listed(paths), **further})
        return
    for path in paths:
        err.print(f"wrote {escape(str(path))}")


def _listed(paths: Sequence[Path | str]) -> list[str]:
    return [str(path) for path in paths]


@contextmanager
def progress() -> Iterator[Callable[[str, float], None]]:
    """A bar that names the stage and fills with its share; it goes when the work is done."""
    columns = SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn()
    with Progress(*columns, console=err, transient=True) as bars:
        task = bars.add_task("starting", total=1.0)
        yield lambda stage, share: bars.update(task, description=stage, completed=share)


@contextmanager
def stages(*, every: bool = False) -> Iterator[Callable[[str, float], None]]:
    """No bar; one line where a first run compiles, or one for each stage."""
    said: set[str] = set()

    def tell(stage: str, _share: float) -> None:
        if (every or stage == COMPILING) and stage not in said:
            said.add(stage)
            err.print(stage)

    yield tell
