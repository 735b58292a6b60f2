"""Two specifications side by side: what tells them apart, and that nothing does."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from outlast import load, loading
from outlast.errors import LimitExceeded, MisuseError, SpecError, UnknownName
from outlast.expr import render, show
from outlast.model import Happen, Say, Scenario
from outlast.plan import Plan, compile_system
from outlast.proofs.comparison import Comparison, compare
from outlast.proofs.mutants import mutants
from outlast.proofs.timed import composed, successors
from outlast.proofs.timed.composed import compose
from outlast.proofs.timed.traces import Replay
from outlast.run import Run, Step, System, run_scenario
from tests.proofs.lamps import LAMP, WATCHER, planned
from tests.proofs.random_systems import random_system
from tests.proofs.ticks import SHORT


def lamps(folder: Path, changes: dict[str, str]) -> Plan:
    """The lamps, with these words of the first machine changed."""
    folder.mkdir()
    lamp = LAMP
    for old, new in changes.items():
        assert old in lamp
        lamp = lamp.replace(old, new)
    return planned(folder, "  - {id: fine, of: lamp, always: self is dark or self is not dark, says: So.}\n", lamp=lamp)


def compared(folder: Path, changes: dict[str, str], budget: int = 10_000) -> Comparison:
    """The lamps against the lamps with changes."""
    old, new = lamps(folder / "old", {}), lamps(folder / "new", changes)
    (found,) = compare(old, new, budget=budget)
    return found


BROKEN = "  - {id: kicked, from: [lit, dim], event: kick, to: broken}"
ROWS = [  # changes, (about, old, new) of what differs, when in seconds, how many things are said
    ({"event: kick, to: broken": "event: kick, to: dim"}, [("a", "broken", "dim")], 0, 2),
    ({"from: [lit, dim], event: kick": "from: dim, event: kick"}, [("the event", "accepted", "refused"), ("a", "broken", "lit")], 0, 2),
    ({"within: 2m": "within: 3m"}, [("a", "dark", "dim")], 7 * 60, 1),
    ({"after: limit": "after: 4m"}, [("a", "lit", "dim")], 4 * 60, 1),
    ({"default: 5m": "default: 6m"}, [("a.limit", "5m", "6m")], 0, 0),
    ({"event: press, to: lit": "event: press, to: lit, do: [{set: {count: 1}}]"}, [("a.count", "0", "1")], 0, 1),
    ({"states: {dark: {}, lit": "effects: {hum: {}}\nstates: {dark: {exit: [emit: hum]}, lit"}, [("effects", "nothing more", "hum")], 0, 1),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "contrasts", "seconds", "said"), ROWS)
def test_what_differs(
    tmp_path: Path, changes: dict[str, str], contrasts: list[tuple[str, str, str]], seconds: int, said: int
) -> None:
    """The shortest story, at the earliest moment, with what each says; told again, it holds for the old one and not for the new one."""
    found = compared(tmp_path, changes)

    assert found.outcome == "differ"
    assert found.scenario is not None
    seen = [(one.about, one.old, one.new.split(":")[0]) for one in found.contrasts]
    assert (contrasts, seconds * 1_000_000, said) == (seen, found.at, len(found.scenario.steps))
    assert run_scenario(loading.load(tmp_path / "old"), found.scenario).ok
    assert not run_scenario(loading.load(tmp_path / "new"), found.scenario).ok or contrasts[0][0] == "effects"


ALIKE: list[dict[str, str]] = [
    {},
    {"id: fade,": "id: fades,"},
    {"  - {id: tune,": "  - {id: nothing, from: dark, event: press, when: count > 3, to: dim}\n  - {id: tune,"},
    {
        "  - {id: on, from: dark, event: press, to: lit}": "  - {id: on, from: dark, event: press, when: count == 0, to: lit}"
    },
    {
        BROKEN: "  - {id: kicked, from: lit, event: kick, to: broken}\n  - {id: kicked-dim, from: dim, event: kick, to: broken}"
    },
]


@pytest.mark.parametrize("changes", ALIKE)
def test_what_behaves_alike(tmp_path: Path, changes: dict[str, str]) -> None:
    """Other names of rows, rows that are never taken, guards that always hold: nobody can tell."""
    found = compared(tmp_path, changes)

    assert ("same", (), None) == (found.outcome, found.contrasts, found.scenario)
    assert found.pairs > 5


# ---- `within` rows that come early

EARLY = """
machine: m
events: {again: {}, end: {}}
states: {a: {}, b: {}, c: {}, d: {}}
transitions:
  - {id: over, from: a, within: 10m, to: b}
  - {id: late, from: a, after: 5m, to: c}
  - {id: again, from: b, event: again, to: c}
  - {id: back, from: c, event: again, to: a}
"""
AGAIN = "event: again, to: c}"
EARLY_ROWS: list[tuple[dict[str, str], list[tuple[str, str, str]], str]] = [  # changes, what differs, who tells; the old one comes to `b` before 5m or never
    ({}, [], ""),
    ({AGAIN: "event: again, to: d}"}, [("x", "c", "d")], "old"),
    ({"  - {id: again,": "  - {id: spare, from: b, event: end, to: d}\n  - {id: again,"}, [("the event", "refused", "accepted"), ("x", "b", "d")], "old"),
    ({"id: over": "id: ended"}, [], ""),
    ({"from: a, within": "from: [a, d], within"}, [], ""),
    ({"within: 10m": "within: 20m"}, [], ""),
    ({"within: 10m": "within: 5m"}, [("x", "c", "b")], "old"),
    ({"within: 10m": "within: 4m"}, [("x", "a", "b")], "old"),
    ({"within: 10m": "after: 10m"}, [("x", "b", "a")], "old"),
    ({"from: c, event: again, to: a}": "from: c, event: again, to: a}\n  - {id: slip, from: c, within: 3m, to: d}"}, [("x", "c", "d")], "old"),
    ({"from: a, within: 10m, to: b}": "from: a, within: 10m, to: b}\n  - {id: slip, from: a, within: 10m, to: d}"}, [("x", "a", "d")], "new"),
]  # fmt: skip


def early(folder: Path, changes: dict[str, str], constants: str = "") -> Plan:
    """One machine whose row `over` comes early or never."""
    folder.mkdir()
    text = EARLY
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    (folder / "m.yaml").write_text(text, encoding="utf-8")
    (folder / "system.yaml").write_text(
        f"system: early\nmachines: [m]\n{constants}compositions: {{one: {{given: {{m x: {{}}}}}}}}\n", encoding="utf-8"
    )
    return loading.load(folder)


@pytest.mark.parametrize(("changes", "contrasts", "teller"), EARLY_ROWS)
def test_what_shows_only_early(
    tmp_path: Path, changes: dict[str, str], contrasts: list[tuple[str, str, str]], teller: str
) -> None:
    """Both are told the same moments of the rows both have; the story of a difference holds for whoever tells it, and for nobody else."""
    old, new = early(tmp_path / "old", {}), early(tmp_path / "new", changes)
    (found,) = compare(old, new)

    assert contrasts == [(one.about, one.old.split(":")[0], one.new.split(":")[0]) for one in found.contrasts]
    if not contrasts:
        assert (found.outcome, found.scenario) == ("same", None)
        return
    assert found.scenario is not None
    assert found.teller == teller
    told, other = (old, new) if teller == "old" else (new, old)
    assert run_scenario(told, found.scenario).ok
    try:
        assert not run_scenario(other, found.scenario).ok
    except SpecError as error:
        assert "no within is called" in str(error)  # noqa: PT017  # whichever way it fails


def test_the_earliest_moment_is_in_the_story(tmp_path: Path) -> None:
    """What has to come early is told with its moment."""
    old, new = early(tmp_path / "old", {}), early(tmp_path / "new", {AGAIN: "event: again, to: d}"})
    (found,) = compare(old, new)

    assert found.scenario
    (moment, said) = found.scenario.steps
    assert isinstance(moment, Happen)
    assert (moment.at, moment.name, moment.row) == (0, "x", "over")
    assert isinstance(said, Say)
    assert said.event == "again"


# ---- compositions with constants of their own

LONG = "constants: {long: {value: 20m}}\n"


def test_constants_of_a_composition(tmp_path: Path) -> None:
    """What shows with other constants only is found, and the story says them."""
    changes = {"within: 10m": "after: long", AGAIN: "event: again, to: d}"}
    plans = []
    for name, more in (("old", {"within: 10m": "after: long"}), ("new", changes)):
        early(tmp_path / name, more, LONG)
        path = tmp_path / name / "system.yaml"
        text = path.read_text("utf-8").replace(
            "{one:", "{one: {given: {m x: {}}}, short: {constants: {long: 2m}, given: {m x: {}}}, other:"
        )
        path.write_text(text, encoding="utf-8")
        plans.append(loading.load(tmp_path / name))
    one, short, _ = compare(plans[0], plans[1])

    assert (one.outcome, short.outcome) == ("same", "differ")
    assert short.scenario
    assert [(str(name), render(value)) for name, value in short.scenario.constants] == [("long", "2m")]
    assert run_scenario(plans[0], short.scenario).ok
    assert not run_scenario(plans[1], short.scenario).ok


def test_a_budget_leaves_it_open(tmp_path: Path) -> None:
    """What was not looked at to the end is undetermined."""
    found = compared(tmp_path, {"id: fade,": "id: fades,"}, budget=2)

    assert ("undetermined", "more than 2 zones") == (found.outcome, found.reason)


def test_events_of_one_alone_are_named(tmp_path: Path) -> None:
    """They are not said, since the other would not know them."""
    changes = {"kick: {by: hand}": "kick: {by: hand}, shake: {by: hand}"}
    found = compared(tmp_path, changes)

    assert ("same", ("lamp a: shake (new)", "lamp b: shake (new)")) == (found.outcome, found.unpaired)


def test_what_does_not_fit_is_undetermined(tmp_path: Path) -> None:
    """A composition whose instances the old system does not know."""
    old, new = lamps(tmp_path / "old", {}), lamps(tmp_path / "new", {})
    (tmp_path / "old" / "watcher.yaml").write_text(WATCHER.replace("watcher", "guard"), encoding="utf-8")
    text = (
        (tmp_path / "old" / "system.yaml")
        .read_text("utf-8")
        .replace("watcher w", "guard w")
        .replace("watcher]", "guard]")
    )
    (tmp_path / "old" / "guard.yaml").write_text(WATCHER.replace("watcher", "guard"), encoding="utf-8")
    (tmp_path / "old" / "system.yaml").write_text(text, encoding="utf-8")
    assert old.compositions
    (found,) = compare(loading.load(tmp_path / "old"), new)

    assert found.outcome == "undetermined"
    assert "it does not fit both" in found.reason


def test_misuse(tmp_path: Path) -> None:
    """Nothing to run them in, and a composition that is not there."""
    (tmp_path / "m.yaml").write_text(EARLY, encoding="utf-8")
    bare = loading.load(tmp_path / "m.yaml")
    with pytest.raises(MisuseError, match="no composition"):
        tuple(compare(bare, bare))
    with pytest.raises(UnknownName):
        tuple(compare(load("sagemaker"), load("sagemaker"), compositions=["one-jab"]))


# ---- against runs at random


@pytest.fixture
def _soon_endless(monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes on for long at one instant need not go on for long."""
    monkeypatch.setattr(composed, "LIMITS", SHORT)
    monkeypatch.setattr(successors, "LIMITS", SHORT)


def seen(system: System, steps: list[Step]) -> object:
    """What can be seen of a system after steps of one instant."""
    there = {one.id: (one.states, tuple(one.fields.items())) for one in system.instances}
    return there, [(step.instance, effect.name, effect.payload) for step in steps for effect in step.effects]


def told_apart(old: Plan, new: Plan, seed: int) -> bool:
    """Whether runs at random show a difference."""
    random = Random(seed)
    whole = compose(old, old.compositions["all"])
    for _ in range(25):
        pair = Replay(old, terms=SHORT), Replay(new, terms=SHORT)
        for system in pair:
            whole.begin(system)
        for _ in range(12):
            pause, said = random.choice([0, 1, 1, 2]), random.choice(whole.said)
            tell_a_moment(pair, random)
            for _ in range(pause):
                if len({repr(seen(system, list(system.advance(1)))) for system in pair}) > 1:
                    return True
            if len({repr(seen(system, list(system.advance(0)))) for system in pair}) > 1:
                return True
            heard = [
                system.send(said.to, said.event.name, by=said.event.by) if said.to in system.world else None
                for system in pair
            ]
            if len({step.accepted if step else None for step in heard}) > 1:
                return True
            views = [
                seen(system, [step, *step.caused] if step else []) for system, step in zip(pair, heard, strict=True)
            ]
            if repr(views[0]) != repr(views[1]):
                return True
    return False


def tell_a_moment(pair: tuple[Replay, Replay], random: Random) -> None:
    """Let a `within` row that waits in the first go off soon in both."""
    waiting = [
        (one.id, timer.key, timer.due)
        for one in pair[0].instances
        for timer in one.snapshot.timers
        if timer.due == timer.latest > pair[0].now and one.machine.arrows[timer.key].kind == "within"
    ]
    if waiting and random.random() < 0.5:
        id_, key, due = random.choice(waiting)
        at = random.randint(pair[0].now + 1, due)
        for system in pair:
            running = {timer.key: timer.due for timer in system.world[id_].timers} if id_ in system.world else {}
            if running.get(key, 0) >= at:
                system.stand_for(id_, key, at)


@pytest.mark.usefixtures("_soon_endless")
def test_random_changes() -> None:
    """Of small changes of random systems: what runs at random tell apart differs, and a story of what differs tells them apart."""
    outcomes: dict[str, int] = {}
    for seed in range(40):
        old = random_system(seed)
        changed = random_choice(old, seed)
        if changed is None:
            continue
        try:
            (found,) = compare(old, changed, budget=150)
            apart = told_apart(old, changed, seed)
        except LimitExceeded:
            continue
        outcomes[found.outcome] = outcomes.get(found.outcome, 0) + 1
        if found.outcome == "same":
            assert not apart, seed
        if found.outcome == "differ":
            assert found.scenario is not None
            teller, other = (old, changed) if found.teller == "old" else (changed, old)
            run = run_scenario(teller, found.scenario, terms=SHORT)
            assert run.ok, seed
            assert words(run) != words_of(other, found.scenario), seed

    assert outcomes["same"] >= 5
    assert outcomes["differ"] >= 8


def random_choice(plan: Plan, seed: int) -> Plan | None:
    """The system with one row changed in one way, if it compiles."""
    mutant = Random(seed).choice(list(mutants(plan.source)))
    changed, problems = compile_system(mutant.system)
    return None if problems else changed


def words_of(plan: Plan, story: Scenario) -> object:
    """The same of another system; None where it has no such row."""
    try:
        return words(run_scenario(plan, story, terms=SHORT))
    except SpecError:
        return None


def words(run: Run) -> object:
    """All that was seen in a run, refusals and effects of its whole length included."""
    system, steps = run.system, [moment.step for moment in run.moments]
    values = {
        one.id: {name: show(value, one.machine.fields[name].type) for name, value in one.fields.items()}
        for one in system.instances
    }
    told = [(step.at, effect.name, effect.payload) for step in steps for effect in step.effects]
    return (
        {one.id: one.states for one in system.instances},
        values,
        told,
        [(step.at, step.accepted) for step in steps if step.event],
    )
