"""What the truth says is what happens: worlds in which something is forced, against worlds in which it is not."""

from __future__ import annotations

import math
from functools import cache

import polars as pl
import pytest

from truenorth.simulate import ACTIONS, Company, Lived, Random, World
from truenorth.simulate.journeys import JOURNEYS
from truenorth.simulate.tables import N_SLOTS, Setting
from truenorth.simulate.truth import RIPE_DAYS

N_SE = 4
"""Standard errors by which two numbers for the same thing may differ."""
CAUSES = [f"{journey.name}.{cause.name}" for journey in JOURNEYS for cause in journey.causes]
EFFECTIVE = [action.name for action in ACTIONS[1:]]
SMALL = Company(spillover=False)
LARGE = Company(n_customers=200_000, spillover=False)
"""About 300,000 cases, half of them of the journey help. Without spillover no
case touches another but in the queues, and these stay the same whatever is set from outside."""


@cache
def forced(company: Company, seed: int, slot: int, setting: Setting) -> pl.DataFrame:
    """Cases of a world in which one cause of each journey is set: four at once, for cases belong to one journey."""
    do = {f"{one.name}.{one.causes[slot].name}": setting for one in JOURNEYS if slot < len(one.causes)}
    return outcomes(World(company, seed, do).run(), company)


@cache
def acted(company: Company, seed: int, action: str, setting: Setting) -> pl.DataFrame:
    return outcomes(World(company, seed, {action: setting}).run(), company).filter(pl.col("trigger") != "none")


@cache
def natural(company: Company, seed: int) -> World:
    return World(company, seed)


def outcomes(lived: Lived, company: Company) -> pl.DataFrame:
    """Cases old enough to be settled whatever happens in them."""
    last_day = pl.lit(company.start) + pl.duration(days=company.days - RIPE_DAYS)
    cases = lived.cases.filter((pl.col("opened").dt.date() < last_day) & (pl.col("outcome") != "open"))
    return cases.with_columns(achieved=(pl.col("outcome") == "achieved").cast(pl.Float64))


def paired_difference(on: pl.DataFrame, off: pl.DataFrame) -> tuple[float, float, int]:
    """Mean difference of *achieved* over cases that both worlds have, its standard error, and their number."""
    both = on.join(off, on="case", suffix="_off")
    shift = both["achieved"] - both["achieved_off"]
    return float(shift.mean()), float(shift.std()) / math.sqrt(both.height), both.height  # type: ignore[arg-type]


def slot_of(name: str) -> int:
    journey, _, cause = name.partition(".")
    return [one.name for one in next(one for one in JOURNEYS if one.name == journey).causes].index(cause)


def check_cause(company: Company, seed: int, name: str) -> int:
    journey = name.partition(".")[0]
    at_stake = (pl.col("journey") == journey) & pl.col(name).is_not_null()
    on, off = (forced(company, seed, slot_of(name), setting).filter(at_stake) for setting in ("on", "off"))
    lived, se, n = paired_difference(on, off)
    told = natural(company, seed + 1).truth().cause(name)  # another seed: nothing is shared
    assert abs(lived - told.p_achieved) <= N_SE * math.hypot(se, told.p_achieved_se) + 1e-12, (
        lived,
        told.p_achieved,
        se,
    )
    return n


def check_action(company: Company, seed: int, name: str) -> int:
    lived, se, n = paired_difference(acted(company, seed, name, "on"), acted(company, seed, name, "off"))
    told = natural(company, seed + 1).truth().action(name)
    assert abs(lived - told.p_achieved) <= N_SE * math.hypot(se, told.p_achieved_se) + 1e-12, (
        lived,
        told.p_achieved,
        se,
    )
    return n


@pytest.mark.parametrize("name", CAUSES)
def test_a_cause_does_what_the_truth_says(name: str) -> None:
    assert check_cause(SMALL, 10, name) > 100


@pytest.mark.parametrize("name", EFFECTIVE)
def test_an_action_does_what_the_truth_says(name: str) -> None:
    assert check_action(SMALL, 10, name) > 1000


@pytest.mark.slow
@pytest.mark.parametrize("name", CAUSES)
def test_a_cause_does_what_the_truth_says_at_large(name: str) -> None:
    assert check_cause(LARGE, 20, name) > 7_000


@pytest.mark.slow
@pytest.mark.parametrize("name", EFFECTIVE)
def test_an_action_does_what_the_truth_says_at_large(name: str) -> None:
    assert check_action(LARGE, 20, name) > 100_000


def test_the_slots_are_all_forced() -> None:
    for slot in range(N_SLOTS):
        for journey in JOURNEYS:
            if slot < len(journey.causes):
                name = f"{journey.name}.{journey.causes[slot].name}"
                level = 2 if journey.causes[slot].kind == "transfers" else 1
                assert set(forced(SMALL, 10, slot, "on")[name].drop_nulls()) == {level}
                assert set(forced(SMALL, 10, slot, "off")[name].drop_nulls()) == {0}


# --- exact, case by case ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["help.called_back", "help.no_ping_pong", "help.answered_soon", "bill.corrected", "move.confirmed"]
)
def test_potential_outcomes_are_what_is_lived(name: str) -> None:
    """Without exception, case by case: the worlds have the same cases, queues and luck."""
    told = natural(SMALL, 5).effects(name).select("case", "outcome0", "outcome1")
    before = outcomes(natural(SMALL, 5).lived, SMALL)
    for number, setting in enumerate(("off", "on")):
        now = outcomes(World(SMALL, 5, {name: setting}).run(), SMALL)  # type: ignore[dict-item]
        assert now["case", "load"].equals(before["case", "load"])
        both = now.join(told, on="case")
        assert both.height > 100
        assert (both["outcome"].cast(pl.String) == both[f"outcome{number}"]).all()


@pytest.mark.parametrize("name", EFFECTIVE)
def test_potential_outcomes_of_actions_are_what_is_lived(name: str) -> None:
    """Without exception: an action changes no queue, so there is nothing else that differs."""
    told = natural(SMALL, 5).effects(name).select("case", "outcome1", "outcome0")
    now = outcomes(World(SMALL, 5, {name: "on"}).run(), SMALL)
    before = outcomes(natural(SMALL, 5).lived, SMALL)
    assert now["case"].equals(before["case"])
    both = now.join(before, on="case", suffix="_before").join(told, on="case")
    assert both.height > 1000
    assert (both["outcome"].cast(pl.String) == both["outcome1"]).all()
    assert (both["outcome_before"].cast(pl.String) == both["outcome0"]).all()


def test_what_does_nothing_does_exactly_nothing(world: World) -> None:
    for name in ("do_nothing", "apology_letter"):
        effects = world.effects(name)
        assert effects.height > 1000
        assert (effects["p0"] == effects["p1"]).all()
        assert (effects["outcome0"] == effects["outcome1"]).all()
        assert world.truth().action(name).causal is False
    for cause in world.truth().causes:
        assert cause.causal == (cause.p_achieved != 0)
        if not cause.causal:
            effects = world.effects(f"{cause.journey}.{cause.name}")
            assert (effects["outcome0"] == effects["outcome1"]).all()


def test_one_case_is_told_as_in_the_table(world: World) -> None:
    row = world.effects("call_back_now").filter(pl.col("outcome0") != pl.col("outcome1")).row(0, named=True)
    effect = world.effect("call_back_now", row.pop("case"))
    assert effect._asdict() == row
    assert effect.value1 != effect.value0


# --- without pairs ----------------------------------------------------------------------------------------------------


def test_a_coin_finds_the_effect_too() -> None:
    """A random half against the other half of one world: the plain experiment."""
    told = natural(SMALL, 1).truth()
    company = Company(n_customers=20_000)
    names: dict[str, Setting] = {"help.called_back": "half", "bill.corrected": "half", "connect.visit_kept": "half"}
    cases = outcomes(World(company, 11, names).run(), company)
    for name in names:
        arms = (
            cases.filter(pl.col(name).is_not_null())
            .group_by(name)
            .agg(pl.col("achieved").mean(), (pl.col("achieved").var() / pl.len()).alias("variance"), pl.len())
        )
        off, on = arms.sort(name).iter_rows(named=True)
        assert abs(on["len"] / (on["len"] + off["len"]) - 0.5) < 0.05
        se = math.hypot(math.sqrt(on["variance"] + off["variance"]), told.cause(name).p_achieved_se)
        assert abs(on["achieved"] - off["achieved"] - told.cause(name).p_achieved) <= N_SE * se


def test_confounding_is_there_to_be_found() -> None:
    """What only seems to matter: broken with failure, and yet without effect."""
    cases = outcomes(World(Company(n_customers=60_000), 12).run(), Company())
    for name in ("help.answered_soon", "help.tested_first", "bill.called_back"):
        known = cases.filter(pl.col(name).is_not_null())
        kept, broken = (known.filter(pl.col(name) == level)["achieved"] for level in (0, 1))
        se = math.sqrt(kept.var() / len(kept) + broken.var() / len(broken))  # type: ignore[operator, arg-type]
        assert kept.mean() - broken.mean() > 3 * se, name  # type: ignore[operator]


def test_random_logs_can_be_learnt_from() -> None:
    """Weighted by their propensities, the decisions of a random policy give each action's effect."""
    company = Company(n_customers=20_000, capacity=1000)
    lived = World(company, 13).run(policy=Random())
    cases = outcomes(lived, company).join(lived.decisions.select("case", "propensity", "refused"), on="case")
    assert not cases["refused"].any()
    told = natural(SMALL, 1).truth()
    means = {
        action: (cases.filter(pl.col("action") == action)["achieved"].mean(), cases.filter(pl.col("action") == action))
        for action in ("do_nothing", *EFFECTIVE)
    }
    nothing, base = means["do_nothing"]
    for action in EFFECTIVE:
        mean, rows = means[action]
        se = math.hypot(math.sqrt(0.25 / rows.height + 0.25 / base.height), told.action(action).p_achieved_se)
        assert abs(mean - nothing - told.action(action).p_achieved) <= N_SE * se  # type: ignore[operator]


def test_seeds_agree_on_the_truth() -> None:
    one, other = natural(SMALL, 10).truth(), natural(SMALL, 11).truth()
    for cause in one.causes:
        twin = other.cause(f"{cause.journey}.{cause.name}")
        allowed = N_SE * math.hypot(cause.p_achieved_se, twin.p_achieved_se)
        assert abs(cause.p_achieved - twin.p_achieved) <= allowed


@pytest.mark.slow
def test_seeds_agree_on_the_truth_at_large() -> None:
    one, other = natural(LARGE, 20).truth(), natural(LARGE, 21).truth()
    assert natural(LARGE, 20).lived.counts["overrun"] == 0
    for cause in one.causes:
        twin = other.cause(f"{cause.journey}.{cause.name}")
        allowed = N_SE * math.hypot(cause.p_achieved_se, twin.p_achieved_se)
        assert abs(cause.p_achieved - twin.p_achieved) <= allowed
