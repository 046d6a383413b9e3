"""The commands that look ahead: learn what will become of cases, and how far that can be trusted."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from truenorth.cli.frame import AsJson, LogPath, Maps, ObjectType, fields_of, progress, told

if TYPE_CHECKING:
    from truenorth.foresight.labels import Label

app = typer.Typer()


class Cut(StrEnum):
    """Up to where the cases of a labelled log are looked at."""

    BEFORE_LABEL = "before-label"
    NEVER = "never"


Share = Annotated[
    float,
    typer.Option("--held-out", min=0.05, max=0.9, metavar="SHARE", help="Share of cases, the latest, to judge on."),
]
Precision = Annotated[float, typer.Option(min=0.0, max=1.0, metavar="P", help="Share of alarms that are to be right.")]
PerDay = Annotated[int, typer.Option("--per-day", min=1, metavar="N", help="Cases that a team can look at a day.")]
Without = Annotated[
    list[str] | None,
    typer.Option(metavar="COLUMN", help="Do not learn from this column: it is filled in too late. May be repeated."),
]
Seed = Annotated[int, typer.Option(metavar="S", help="The same seed learns the same.")]
Html = Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write the figures as a page.")]


@app.command(
    epilog="Examples: truenorth train tickets.csv -j support.yaml --out support.foresight\n\n"
    "truenorth train --db sqlite:///truenorth.db -j help"
)
def train(
    log: Annotated[Path | None, typer.Argument(metavar="[LOG]", help="A log file; or --db.")] = None,
    journey: Annotated[
        Path | None, typer.Option("--journey", "-j", metavar="FILE", help="The journey file; with --db its name.")
    ] = None,
    db: Annotated[
        str | None, typer.Option("--db", metavar="URL", help="Learn from a store's log, and keep the model there.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", help="Keep the model there.")] = None,
    held_out: Share = 0.25,
    precision: Precision = 0.5,
    per_day: PerDay = 10,
    seed: Seed = 0,
    html: Html = None,
    without: Without = None,
    maps: Maps = None,
    object_type: ObjectType = None,
    json: AsJson = False,
) -> None:
    """Learn what becomes of cases; a model that does not beat the baselines does not go live, and it is said why."""
    if journey is None or (log is None) == (db is None):
        raise typer.BadParameter("give a journey, and either a log or a store", param_hint="--journey, LOG, --db")
    with told(json), progress(json) as tell:
        from truenorth.foresight.backtest import Asked
        from truenorth.printing import foresight as printing_foresight
        from truenorth.wiring import foresight as wiring_foresight

        wanted = Asked(test_share=held_out, precision=precision, per_day=per_day)
        if log is None:
            from truenorth.wiring import models as wiring_models

            foresight, found, _ = wiring_models.train(
                str(db), str(journey), wanted, seed, tell, without=tuple(without or ())
            )
        else:
            source = wiring_foresight.Source(log, journey, None, fields_of(maps), object_type, tuple(without or ()))
            found, foresight = wiring_foresight.train(source, wanted, seed, tell=tell)
        if out:
            wiring_foresight.write_foresight(foresight, out)
        if html:
            wiring_foresight.write_page(found, html)
    printing_foresight.trained(found, foresight, str(out or ""), in_store=db is not None, as_json=json)


@app.command(
    epilog="Examples: truenorth backtest tickets.csv -j support.yaml\n\n"
    "truenorth backtest fines.xes.gz --label-event 'Send for Credit Collection'\n\n"
    "truenorth backtest loans.csv --label outcome --positive DECLINED --until-event O_DECLINED"
)
def backtest(
    log: LogPath,
    journey: Annotated[Path | None, typer.Option("--journey", "-j", metavar="FILE", help="The journey file.")] = None,
    label: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="Without a journey: the column that says what became of a case."),
    ] = None,
    positive: Annotated[
        list[str] | None, typer.Option(metavar="V", help="The value of the label to foresee. May be repeated.")
    ] = None,
    label_event: Annotated[
        str | None, typer.Option(metavar="TYPE", help="Or the event to foresee; cases are cut before it.")
    ] = None,
    until_event: Annotated[
        list[str] | None,
        typer.Option(metavar="TYPE", help="Cut cases before this event: it tells the label. May be repeated."),
    ] = None,
    cut: Annotated[
        Cut,
        typer.Option(help="Look at cases before the label's event only, or never cut them, as some benchmarks do."),
    ] = Cut.BEFORE_LABEL,
    drop_ending: Annotated[
        list[str] | None,
        typer.Option(metavar="TYPE", help="Leave out cases that end with this event. May be repeated."),
    ] = None,
    in_silence: Annotated[
        bool,
        typer.Option(
            "--in-silence",
            help="Without a journey: look at cases between their events, too, so that alarms come as time passes.",
        ),
    ] = False,
    case: Annotated[str | None, typer.Option(metavar="COLUMN", help="Short for --map case=COLUMN.")] = None,
    held_out: Share = 0.25,
    precision: Precision = 0.5,
    per_day: PerDay = 10,
    seed: Seed = 0,
    html: Html = None,
    without: Without = None,
    maps: Maps = None,
    object_type: ObjectType = None,
    json: AsJson = False,
) -> None:
    """Learn at an instant of the past and judge on what came after it, beside baselines and constants."""
    if (journey is None) == (label is None and label_event is None):
        raise typer.BadParameter("give either a journey or a label", param_hint="--journey, --label, --label-event")
    if journey and in_silence:
        raise typer.BadParameter("cases of a journey are always looked at in silence", param_hint="--in-silence")
    with told(json), progress(json) as tell:
        from truenorth.foresight.backtest import Asked
        from truenorth.printing import foresight as printing_foresight
        from truenorth.wiring import foresight as wiring_foresight

        fields = fields_of([*(maps or []), *([f"case={case}"] if case else [])])
        told_by = (
            None if journey else _label(label, positive or [], label_event, until_event or [], drop_ending or [], cut)
        )
        source = wiring_foresight.Source(
            log, journey, told_by, fields, object_type, tuple(without or ()), in_silence=in_silence
        )
        wanted = Asked(test_share=held_out, precision=precision, per_day=per_day)
        found = wiring_foresight.run_backtest(source, wanted, seed, tell=tell)
        if html:
            wiring_foresight.write_page(found, html)
    printing_foresight.backtested(found, as_json=json)


def _label(
    column: str | None, positive: list[str], event: str | None, until: list[str], drop_ending: list[str], cut: Cut
) -> Label:
    from truenorth.foresight.labels import Label

    if cut is Cut.NEVER and until:
        raise typer.BadParameter("cases that are never cut end at no event", param_hint="--cut, --until-event")
    if event:
        ends = () if cut is Cut.NEVER else (event, *until)
        return Label(positive=(event,), take="any", until=ends, drop_ending=tuple(drop_ending))
    if not positive:
        raise typer.BadParameter("a label needs the value to foresee", param_hint="--positive")
    return Label(positive=tuple(positive), column=column or "type", until=tuple(until), drop_ending=tuple(drop_ending))
