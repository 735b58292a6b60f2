"""Two specifications side by side: what tells them apart, and that nothing does."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from outlast import load, loading
from outlast.errors import LimitExceeded, MisuseError, UnknownName
from outlast.expr import show
from outlast.plan import Plan, compile_system
from outlast.proofs.comparison import Comparison, compare
from outlast.proofs.mutants import mutants
from outlast.proofs.timed import composed, successors
from outlast.proofs.timed.composed import compose
from outlast.run import Step, System, run_scenario
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
    {"within: 2m": "after: 2m"},
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


def test_misuse() -> None:
    """Nothing to run them in, and a composition that is not there."""
    with pytest.raises(MisuseError, match="no composition"):
        tuple(compare(load("tour"), load("tour")))
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
        pair = System(old, terms=SHORT), System(new, terms=SHORT)
        for system in pair:
            whole.begin(system)
        for _ in range(12):
            pause, said = random.choice([0, 1, 1, 2]), random.choice(whole.said)
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
            runs = [run_scenario(plan, found.scenario, terms=SHORT) for plan in (old, changed)]
            assert runs[0].ok, seed
            views = [words(run.system, [moment.step for moment in run.moments]) for run in runs]
            assert views[0] != views[1], seed

    assert outcomes["same"] >= 5
    assert outcomes["differ"] >= 8


def random_choice(plan: Plan, seed: int) -> Plan | None:
    """The system with one row changed in one way, if it compiles."""
    mutant = Random(seed).choice(list(mutants(plan.source)))
    changed, problems = compile_system(mutant.system)
    return None if problems else changed


def words(system: System, steps: list[Step]) -> object:
    """All that was seen in a run, refusals and effects of its whole length included."""
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
