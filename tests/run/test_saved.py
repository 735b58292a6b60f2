"""Snapshots as JSON: nothing is lost, what goes on goes on the same, and damage is told from data."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import outlast
from outlast.errors import LimitExceeded, SnapshotError
from outlast.plan import Plan
from outlast.run import System, SystemSnapshot, Terms, run_scenario
from outlast.run.scenario import _Telling
from outlast.run.staging import staged
from tests.oracle.machines import Run, runs
from tests.run.worlds import STORIES, bundled_plans, plan_of, random_plan, told


def there_and_back(plan: Plan, snapshot: SystemSnapshot) -> SystemSnapshot:
    """The snapshot out of its own JSON text."""
    return SystemSnapshot.from_json(plan, json.loads(json.dumps(snapshot.to_json(plan))))


def follow(system: System, events: list[str]) -> Iterator[object]:
    """What a random machine does with events, an hour apart."""
    for event in events:
        step = system.send("x", event)
        yield told(step, *step.caused), step.effects, system.snapshot()
        yield told(*system.advance("1h"))


@settings(max_examples=40, deadline=None)
@given(runs())
def test_random_machines(drawn: Run) -> None:
    """Whatever a machine is in comes back from JSON, and goes on the same from there."""
    machine, events = drawn
    plan = random_plan(machine)
    system = System(plan, terms=Terms(microsteps=100))
    try:
        system.add(next(iter(plan.machines)), "x")
        for index, event in enumerate(events):
            saved = there_and_back(plan, system.snapshot())
            assert saved == system.snapshot()
            if index == len(events) // 2:
                restored = System.restore(plan, saved, terms=system.terms)
                assert list(follow(System.restore(plan, saved, terms=system.terms), events[index:])) == list(
                    follow(restored, events[index:])
                )
            list(follow(system, [event]))
    except LimitExceeded:
        return


class _Saving(_Telling):
    """Tells a story, and after every moment goes on from what was saved of it."""

    def act(self, cue: Any) -> None:
        """See `_Telling.act`."""
        self._reload()
        super().act(cue)

    def judge(self, claim: Any) -> None:
        """See `_Telling.judge`."""
        self._reload()
        super().judge(claim)

    def _reload(self) -> None:
        snapshot = self.system.snapshot()
        saved = there_and_back(self.system.plan, snapshot)
        assert snapshot == saved
        self.system = System.restore(self.system.plan, saved, terms=self.system.terms)


@pytest.mark.parametrize(("name", "file"), STORIES, ids=[file.stem for _, file in STORIES])
def test_stories_go_on_from_what_was_saved(name: str, file: Path) -> None:
    """A story interrupted, saved and restored at every moment is the same story."""
    plan, scenario = bundled_plans()[name], outlast.load_scenario(file)
    whole = run_scenario(plan, scenario)
    pieces = _Saving(staged(plan, scenario), System(plan)).run()

    assert [told(moment.step) for moment in whole.moments] == [told(moment.step) for moment in pieces.moments]
    assert [moment.step.effects for moment in whole.moments] == [moment.step.effects for moment in pieces.moments]
    assert (whole.verdicts, whole.system.snapshot()) == (pieces.verdicts, pieces.system.snapshot())


RICH = """
machine: m
fields: {n: {type: int, default: 3, min: 0, max: 9}, wait: {type: duration, optional: true}, kind: {enum: [a, b], default: a}}
refs: {kid: {machine: kid, optional: true}, other: {machine: m, optional: true}}
events: {go: {}, later: {payload: {x: {type: int, optional: true}}}, out: {}}
states:
  s1: {}
  s2: {spawn: {kid: {machine: kid}}, states: {s3: {}, s4: {}, h: {history: deep, to: s3}}}
  off: {final: true}
transitions:
  - {id: go, from: s1, event: go, to: s4, do: [{send: {event: later, after: 1h, id: l, with: {x: 1}}}]}
  - {id: out, from: s2, event: out, to: s1}
  - {id: t, from: s2, after: 2h, to: off}
  - {id: w, from: s4, within: 3h, to: s3}
"""
KID = "machine: kid\nrefs: {parent: {machine: m, optional: true}}\nstates: {k: {}}"


def rich() -> System:
    """A system with something of everything in its snapshot."""
    system = System(plan_of(RICH, KID), terms=Terms(resolve="seed:7"))
    system.add("m", "x", wait="5m")
    system.add("m", "y", other="x")
    for event in ("go", "out", "go"):
        system.send("x", event)
    return system


def test_as_people_read_it() -> None:
    """A saved snapshot goes by names; what is empty is left out."""
    data = rich().snapshot().to_json(plan_of(RICH, KID))
    x, y, kid = data["instances"]

    assert ["format", "system", "hash", "readings", "now", "resolve", "instances"] == list(data)
    assert {"id": "y", "machine": "m", "configuration": ["s1"], "refs": {"kid": None, "other": "x"}} == {
        key: value for key, value in y.items() if key != "fields"
    }
    assert ({"n": 3, "wait": 300_000_000, "kind": "a"}, {"h": ["s4"]}) == (x["fields"], x["history"])
    assert ({"kid": "x.kid.2"}, {"kid": 2}, ["x", "kid"]) == (x["children"], x["spawned"], kid["parent"])
    assert [("l", {"x": 1}, 0), ("l", {"x": 1}, 1)] == [
        (item["event"]["send_id"], item["event"]["payload"], item["turn"]) for item in x["delayed"]
    ]


Change = Callable[[dict[str, Any]], object]
DAMAGE: list[tuple[Change, str]] = [
    (lambda d: d.pop("format"), "the snapshot is damaged: `format` is not int"),
    (lambda d: d.update(format=2), "the snapshot has format 2, this version reads 1"),
    (lambda d: d.update(hash="0"), "the snapshot was made under another version of `test`"),
    (lambda d: d.update(readings={"A": "b"}), "the snapshot was made under other readings"),
    (lambda d: d.update(system="s"), "the snapshot is damaged: no system is called `s`"),
    (lambda d: d.update(now=True), "the snapshot is damaged: `now` is not int"),
    (lambda d: d.update(resolve="maybe"),
     "the snapshot is damaged: `maybe` is no way to resolve `within`: say `latest`, `earliest` or `seed:N`"),
    (lambda d: d.update(instances={}), "the snapshot is damaged: `instances` is not list"),
    (lambda d: d["instances"].append(3), "an instance is damaged: expected an object, found int"),
    (lambda d: d["instances"].append(d["instances"][0]), "the snapshot is damaged: it holds an instance twice"),
    (lambda d: d["instances"].pop(), "the instance `x` is damaged: no instance is called `x.kid.2`"),
    (lambda d: d["instances"][0].pop("id"), "an instance is damaged: `id` is not str"),
    (lambda d: d["instances"][0].update(machine="z"), "the instance `x` is of an unknown machine `z`"),
    (lambda d: d["instances"][0].update(configuration=["s2", "s4", "s4"]),
     "the instance `x` is damaged: ['s2', 's4', 's4'] is no configuration of `m`"),
    (lambda d: d["instances"][0].update(configuration=["s1", "off"]),
     "the instance `x` is damaged: ['s1', 'off'] is no configuration of `m`"),
    (lambda d: d["instances"][0].update(configuration=[]), "the instance `x` is damaged: [] is no configuration of `m`"),
    (lambda d: d["instances"][0].update(configuration=["s2"]),
     "the instance `x` is damaged: ['s2'] is no configuration of `m`"),
    (lambda d: d["instances"][0].update(configuration=["s2", "h"]),
     "the instance `x` is damaged: ['s2', 'h'] is no configuration of `m`"),
    (lambda d: d["instances"][0].update(configuration=["s2", "s9"]), "the instance `x` is damaged: no state is called `s9`"),
    (lambda d: d["instances"][0].update(done=True), "the instance `x` is damaged: it is done exactly when it is in a final state"),
    (lambda d: d["instances"][0]["fields"].update(n=10), "the instance `x` is damaged: `n` is from 0 to 9, not 10"),
    (lambda d: d["instances"][0]["fields"].update(n=1.5), "1.5 is no value of a field"),
    (lambda d: d["instances"][0]["fields"].update(z=1), "the instance `x` is damaged: no field is called `z`"),
    (lambda d: d["instances"][0].pop("fields"), "the instance `x` is damaged: `n` must have a value"),
    (lambda d: d["instances"][0]["refs"].update(kid=[1]), "the instance `x` is damaged: `kid` is not str"),
    (lambda d: d["instances"][0]["refs"].update(kid="y"), "the instance `x` is damaged: its ref `kid` leads to a m"),
    (lambda d: d["instances"][0]["refs"].update(z="y"), "the instance `x` is damaged: no ref is called `z`"),
    (lambda d: d["instances"][0].update(history={"s2": ["s4"]}), "the instance `x` is damaged: no history is called `s2`"),
    (lambda d: d["instances"][0].update(history={"h": ["s1"]}), "the instance `x` is damaged: no state is called `s1`"),
    (lambda d: d["instances"][0].update(history={"h": 3}), "the instance `x` is damaged: `h` is not list"),
    (lambda d: d["instances"][0]["timers"][0].update(key="go"), "the instance `x` is damaged: no running timer is called `go`"),
    (lambda d: d["instances"][1].update(timers=d["instances"][0]["timers"]),
     "the instance `y` is damaged: no running timer is called `t`"),
    (lambda d: d["instances"][0]["timers"][0].update(due=-1), "the instance `x` is damaged: the timer `t` is not due between its bounds"),
    (lambda d: d["instances"][0]["timers"].append(d["instances"][0]["timers"][0]),
     "the instance `x` is damaged: it holds a timer twice"),
    (lambda d: d.update(now=10**12), "the instance `x` is damaged: something of it is overdue"),
    (lambda d: d["instances"][0]["delayed"][0].update(turn=2), "the instance `x` is damaged: a delayed send has no turn"),
    (lambda d: d["instances"][0]["delayed"][0].update(turn=1), "the instance `x` is damaged: it holds a delayed send twice"),
    (lambda d: d["instances"][0]["delayed"][0]["event"].update(sender=3), "the instance `x` is damaged: `sender` is not str"),
    (lambda d: d["instances"][0]["delayed"][0]["event"].update(payload={"x": []}), "[] is no value of a field"),
    (lambda d: d["instances"][0].update(children={"z": "y"}), "the instance `x` is damaged: no ref is called `z`"),
    (lambda d: d["instances"][0].update(spawned={"kid": "2"}), "the instance `x` is damaged: `kid` is not int"),
    (lambda d: d["instances"][2].update(parent=["x"]), "the instance `x.kid.2` is damaged: `parent` is an instance and its ref"),
    (lambda d: d["instances"][2].update(parent=["x", 3]), "the instance `x.kid.2` is damaged: ['x', 3] are no names"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "words"), DAMAGE, ids=[words[:60] for _, words in DAMAGE])
def test_damage(change: Change, words: str) -> None:
    """A damaged snapshot is refused, in words that say where."""
    plan = plan_of(RICH, KID)
    data = copy.deepcopy(rich().snapshot().to_json(plan))
    change(data)
    with pytest.raises(SnapshotError) as refused:
        SystemSnapshot.from_json(plan, data)

    assert words == str(refused.value)


@pytest.mark.parametrize("data", [None, [], "x", 3, {}])
def test_no_snapshot_at_all(data: Any) -> None:
    """Anything may be offered as a snapshot."""
    with pytest.raises(SnapshotError):
        SystemSnapshot.from_json(plan_of(RICH, KID), data)


def spots(data: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) in the data."""
    if not isinstance(data, dict | list):
        return []
    keys = list(data) if isinstance(data, dict) else list(range(len(data)))
    return [spot for key in keys for spot in ((data, key), *spots(data[key]))]


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 10**10)
    | st.floats(allow_nan=False)
    | st.sampled_from(["", "x", "s1", "h", "kid", "go", "t"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["x", "id", "h", "kid"]), inner, max_size=3)
    ),
    max_leaves=4,
)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_whatever_is_changed(data: st.DataObject) -> None:
    """One spot changed, dropped or doubled: a SnapshotError, or a system that runs."""
    plan = plan_of(RICH, KID)
    saved = copy.deepcopy(PRISTINE)
    for _ in range(data.draw(st.integers(1, 2))):
        container, key = data.draw(st.sampled_from(spots(saved)))
        match data.draw(st.sampled_from(["change", "drop", "double"])):
            case "change":
                container[key] = data.draw(JSON)
            case "drop":
                del container[key]
            case _ if isinstance(container, list):
                container.append(copy.deepcopy(container[key]))
            case _:
                container["another"] = copy.deepcopy(container[key])
    try:
        snapshot = SystemSnapshot.from_json(plan, saved)
    except SnapshotError:
        return
    system = System.restore(plan, snapshot)
    assert snapshot == system.snapshot()
    system.advance("4h")
    for item in system.instances:
        system.send(item, "go") if item.machine.name == "m" else None
    assert system.now == snapshot.now + 4 * 3600 * 10**6


PRISTINE = json.loads(json.dumps(rich().snapshot().to_json(plan_of(RICH, KID))))


def test_another_specification() -> None:
    """A snapshot is restored only into the specification and readings it was taken under."""
    plan = plan_of(RICH, KID)
    snapshot = rich().snapshot()
    for other in (attrs.evolve(plan, hash="other"), attrs.evolve(plan, readings={"A": "b"})):
        with pytest.raises(SnapshotError):
            System.restore(other, snapshot)

    assert snapshot == System.restore(plan, snapshot).snapshot()
