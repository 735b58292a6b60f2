"""Properties of small systems: what is proved, what is refuted and by which shortest run, what stays open."""

from __future__ import annotations

from pathlib import Path

import pytest

from outlast import loading
from outlast.errors import MisuseError, UnknownName
from outlast.language import read_scenario
from outlast.language.writer import write_scenario
from outlast.proofs.timed import Budget, Verdict, case_table, check, message_chart, reach
from outlast.proofs.timed.composed import compose
from outlast.run import System, run_scenario
from tests.proofs.lamps import LAMP, planned


def found(folder: Path, claim: str, *, also: str = "", lamp: str = LAMP) -> Verdict:
    """The verdict on one property of every lamp, or watcher."""
    plan = planned(folder, f"  - {{id: p, says: It is so., {claim}}}", also=also, lamp=lamp)
    (verdict,) = check(plan)
    return verdict


ROWS = [  # claim, outcome, how many things happen until it can be seen, and when that is (seconds)
    ("of: lamp, never: self is broken", "refuted", 2, 0),
    ("of: lamp, always: self is not broken", "refuted", 2, 0),
    ("of: lamp, never: self is dim and count > 0", "proved", None, None),
    ("of: lamp, from: self is dark, never: self is broken", "proved", None, None),
    ("of: lamp, from: self is dim, never: self is broken", "refuted", 3, 300),
    ("of: lamp, upon: self is dim, always: count == 0", "proved", None, None),
    ("of: lamp, upon: self is dark, never: count == 0", "refuted", 0, 0),
    ("of: lamp, from: self is lit, upon: self is dark, never: count == 0", "refuted", 2, 0),
    ("of: lamp, while: self is lit, never-longer-than: 5m", "proved", None, None),
    ("of: lamp, while: self is lit, never-longer-than: limit", "proved", None, None),
    ("of: lamp, while: self is lit, never-longer-than: 4m 59s", "refuted", 1, 299),
    ("of: lamp, while: {self: [lit, dim]}, never-longer-than: 7m", "proved", None, None),
    ("of: lamp, while: {self: [lit, dim]}, never-longer-than: 6m 59s", "refuted", 2, 419),
    ("of: lamp, while: self is dark, never-longer-than: 90d", "refuted", 0, 90 * 86400),
    ("of: lamp, from: self is lit, leads-to: 'self is [dark, broken]', within: 7m", "proved", None, None),
    ("of: lamp, from: self is lit, leads-to: 'self is [dark, broken]', within: 6m", "refuted", 2, 360),
    ("of: lamp, reachable: self is dim", "proved", 2, 300),
    ("of: lamp, reachable: self is dim and count > 0", "refuted", None, None),
    ("of: lamp, from: self is dim, reachable: self is dark", "proved", 3, 300),
    ("of: lamp, can-always: self is lit", "refuted", 2, 0),
    ("of: lamp, from: self is not broken, can-always: self is lit", "proved", None, None),
    ("of: watcher, never: self is calm and lamp is lit", "proved", None, None),
    ("of: watcher, never: self is calm and lamp is dim", "refuted", 3, 360),
    ("of: lamp, upon: self is dark, from: self is not dark, never: count == 0", "refuted", 2, 0),  # not after 5m
    ("of: watcher, from: self is worried, leads-to: self is calm, within: 6m", "proved", None, None),
    ("of: watcher, from: self is worried, leads-to: self is calm, within: 5m", "refuted", 2, 300),
]


@pytest.mark.parametrize(("claim", "outcome", "length", "seconds"), ROWS, ids=[row[0] for row in ROWS])
def test_a_claim(tmp_path: Path, claim: str, outcome: str, length: int | None, seconds: int | None) -> None:
    """The verdict; and its run is the shortest, then the earliest, and is told by the engine as it stands."""
    verdict = found(tmp_path, claim)
    trace = verdict.trace

    assert verdict.outcome == outcome, verdict
    assert (len(trace.happenings) if trace else None) == length
    if trace and seconds is not None:
        late = 1 if "never-longer-than" in claim or "leads-to" in claim else 0
        assert trace.duration == seconds * 1_000_000 + late
        story, problems = read_scenario(write_scenario(trace.scenario))
        assert story
        assert problems == []
        assert run_scenario(loading.load(tmp_path), story).ok


def test_deadlines_are_not_jumped_to(tmp_path: Path) -> None:
    """MaxRuntime comes inside a grace period: it takes a wait that ends at no deadline."""
    lamp = """
machine: lamp
events: {start: {by: hand}}
states: {pending: {}, executing: {states: {running: {}, grace: {}}}, failed: {}, stopped: {}}
transitions:
  - {id: start, from: pending, event: start, to: running}
  - {id: waits, from: pending, after: 3h, to: failed}
  - {id: lost, from: running, after: 3h, to: grace}
  - {id: over, from: grace, within: 15m, to: failed}
  - {id: limit, from: executing, after: 3h 5m, to: stopped}
"""
    verdict = found(tmp_path, "of: lamp, from: self is grace, reachable: self is stopped", lamp=_quiet(lamp))

    assert verdict.outcome == "proved"
    assert verdict.trace
    assert [item.name for item in verdict.trace.happenings] == ["start", "lost", "limit"]


def _quiet(lamp: str) -> str:
    """With the states the watcher asks for."""
    return lamp.replace("stopped: {}}", "stopped: {}, lit: {}, dark: {}}") + (
        "  - {id: l, from: failed, event: start, to: lit}\n  - {id: d, from: lit, event: start, to: dark}\n"
    )


def test_a_wait_before_the_timer_matters(tmp_path: Path) -> None:
    """Two timers armed apart: the second ends first only for those who waited in between, for no round time."""
    lamp = _quiet(
        """
machine: lamp
events: {start: {by: hand}}
states: {pending: {}, failed: {}, both: {regions: {x: {states: {x1: {}, x2: {}}}, y: {states: {y0: {}, y1: {}, y2: {}}}}}, stopped: {}}
transitions:
  - {id: go, from: pending, event: start, to: both}
  - {id: x, from: x1, after: 1h, to: x2}
  - {id: arm, from: y0, event: start, to: y1}
  - {id: y, from: y1, after: 50m, to: y2}
"""
    )
    early = found(tmp_path, "of: lamp, reachable: self is y2 and self is x1", lamp=lamp)
    between = found(
        tmp_path, "of: lamp, from: self is x1 and self is y1, reachable: self is x2 and self is y1", lamp=lamp
    )

    assert (early.outcome, between.outcome) == ("proved", "proved")
    assert between.trace
    assert between.trace.happenings[1].at == 10 * 60_000_000, "armed so late that its end comes after that of the other"


@pytest.mark.parametrize(("source", "outcome"), [("waits", "refuted"), ("failed", "proved")])
def test_a_moment_that_is_missed_is_gone(tmp_path: Path, source: str, outcome: str) -> None:
    """What is said at the last moment before the limit goes before the `within` row, whose moment then never comes."""
    lamp = _quiet(
        """
machine: lamp
fields: {flag: {type: bool, default: false}}
events: {start: {by: hand}, flip: {by: hand}}
states: {waits: {}, failed: {}, well: {}, stopped: {}}
transitions:
  - {id: limit, from: waits, after: 3us, to: failed}
  - {id: comes, from: waits, within: 5us, to: well}
  - {id: flip, from: waits, event: flip, do: [{set: {flag: not flag}}]}
"""
    ).replace("from: waits, event: flip", f"from: {source}, event: flip")
    verdict = found(tmp_path, "of: lamp, from: self is waits, can-always: self is well", lamp=lamp)

    assert verdict.outcome == outcome
    if verdict.trace:
        assert [(item.name, item.at) for item in verdict.trace.happenings] == [("flip", 2)]


@pytest.mark.parametrize(("wait", "outcome"), [("5us", "refuted"), ("4us", "proved")])
def test_what_begins_together_is_as_old(tmp_path: Path, wait: str, outcome: str) -> None:
    """Who comes by another way has one clock older than the other; who begins both at once has not."""
    lamp = _quiet(
        f"""
machine: lamp
events: {{start: {{by: hand}}, round: {{by: hand}}}}
states: {{first: {{}}, before: {{}}, both: {{states: {{halfway: {{}}, there: {{}}}}}}, failed: {{}}, well: {{}}, stopped: {{}}}}
transitions:
  - {{id: begin, from: first, event: start, to: before}}
  - {{id: round, from: first, event: round, to: halfway}}
  - {{id: direct, from: before, event: start, to: there}}
  - {{id: on, from: halfway, event: start, to: there}}
  - {{id: lost, from: there, after: 5us, to: failed}}
  - {{id: won, from: both, after: {wait}, to: well}}
"""
    )

    assert found(tmp_path, "of: lamp, from: self is before, can-always: self is well", lamp=lamp).outcome == outcome


def test_a_moment_of_a_within_row_is_kept(tmp_path: Path) -> None:
    """Where a run depends on when a `within` row fires, its story says so."""
    verdict = found(tmp_path, "of: lamp, from: self is dim, reachable: self is dark")
    assert verdict.trace

    assert "happen: {lamp a: out}" in write_scenario(verdict.trace.scenario)


def test_what_is_nearer_is_gone_on_with(tmp_path: Path) -> None:
    """Two events lead to the end, and so do three, at more times: those hide the nearer way, which is the shortest all the same."""
    lamp = _quiet(
        """
machine: lamp
events: {round: {by: hand}, direct: {by: hand}, start: {by: hand}}
states: {pending: {}, failed: {}, both: {states: {halfway: {}, there: {}}}, stopped: {}}
transitions:
  - {id: round, from: pending, event: round, to: halfway}
  - {id: direct, from: pending, event: direct, to: there}
  - {id: on, from: halfway, event: round, to: there}
  - {id: long, from: both, after: 5m, to: failed}
  - {id: short, from: there, after: 3m, to: failed}
  - {id: end, from: there, event: start, to: stopped}
"""
    )
    verdict = found(tmp_path, "of: lamp, never: self is stopped", lamp=lamp)

    assert verdict.trace
    assert [item.name for item in verdict.trace.happenings] == ["direct", "start"]


def test_a_bound_is_taken_where_it_begins(tmp_path: Path) -> None:
    """What changes the bound while its clock runs changes it for the next time only."""
    lamp = LAMP + "  - {id: tune-lit, from: lit, event: tune, do: [{set: {limit: event.to}}]}\n"
    claim, also = "of: lamp, while: self is lit, never-longer-than: limit", "also: [{lamp a: {tune: {to: 1m}}}]"

    assert found(tmp_path, claim, lamp=lamp, also=also).outcome == "proved"


def test_all_that_is_refuted_is_told_at_once(tmp_path: Path) -> None:
    """One run of the check, one trace for each property."""
    plan = planned(
        tmp_path,
        "  - {id: one, of: lamp, never: self is broken, says: One.}\n"
        "  - {id: two, of: lamp, while: self is lit, never-longer-than: 1m, says: Two.}\n"
        "  - {id: three, of: lamp, can-always: self is lit, says: Three.}\n"
        "  - {id: four, of: lamp, never: count > 0, says: Four.}\n",
    )
    verdicts = list(check(plan))

    assert [(item.id, item.outcome, bool(item.trace)) for item in verdicts] == [
        ("one", "refuted", True),
        ("two", "refuted", True),
        ("three", "refuted", True),
        ("four", "proved", False),
    ]


def test_only_what_matters_is_searched(tmp_path: Path) -> None:
    """The second lamp and the watcher are nothing to the first lamp; the verdict is the same with them."""
    plan = planned(tmp_path, "  - {id: p, of: lamp, never: count > 0, says: P.}")
    (part,) = check(plan)
    (whole,) = check(plan, slicing=False)

    assert (part.outcome, whole.outcome) == ("proved", "proved")
    assert part.statistics.locations == 4
    assert whole.statistics.locations > 4 * part.statistics.locations


PAIR = {
    "system.yaml": """
system: pair
machines: [one, two]
compositions: {both: {given: {two b: {}, one a: {peer: b}}}}
properties: [{id: p, of: one, never: self is up, says: It stays down.}]
""",
    "one.yaml": """
machine: one
refs: {peer: {machine: two}}
events: {go: {}}
states: {down: {}, up: {}}
transitions: [{id: go, from: down, event: go, to: up}, {id: back, from: up, event: go, to: down}]
""",
    "two.yaml": "{machine: two, states: {still: {}}}\n",
}


def test_events_that_anybody_may_say_are_said(tmp_path: Path) -> None:
    """An event without actors is anybody's; and a run can begin though nobody looks along a ref."""
    for name, text in PAIR.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (verdict,) = check(loading.load(tmp_path))

    assert verdict.outcome == "refuted"
    assert verdict.trace
    assert [(item.instance, item.name) for item in verdict.trace.happenings] == [("a", "go")]


@pytest.mark.parametrize("name", ["one-job", "two-jobs", "two-users"])
def test_a_part_is_whole(name: str) -> None:
    """Whoever is bound to is in the part as well, and a run can begin with just those."""
    plan = loading.load("sagemaker")
    whole = compose(plan, plan.compositions[name])
    for id_ in [part.name for part in whole.parts]:
        part = whole.part_for([id_])
        there = {snapshot.id for snapshot in part.snapshots}
        system = System(part.plan)
        part.begin(system)

        assert {other for snapshot in part.snapshots for other in snapshot.refs if other is not None} <= there
        assert {instance.id for instance in system.instances} == there


def test_what_cannot_be_searched_is_undetermined(tmp_path: Path) -> None:
    """A count without bounds: the budget ends before the states do."""
    lamp = LAMP.replace("event: press, to: lit}", "event: press, to: lit, do: [{set: {count: count + 1}}]}")
    plan = planned(tmp_path, "  - {id: p, of: lamp, never: count < 0, says: P.}", lamp=lamp)
    (verdict,) = check(plan, budget=Budget(zones=100))

    assert (verdict.outcome, verdict.ok) == ("undetermined", False)
    assert verdict.reason == "more than 100 zones"


def test_values_are_explored_where_they_are_given(tmp_path: Path) -> None:
    """An event with values is said with those the composition names."""
    claim = "of: lamp, while: self is lit, never-longer-than: 5m"

    assert found(tmp_path, claim).outcome == "proved"
    assert found(tmp_path, claim, also="also: [{lamp a: {tune: {to: 6m}}}]").outcome == "refuted"
    assert found(tmp_path, claim, also="only: [{lamp a: {tune: {to: 6m}}}]").outcome == "proved"


@pytest.mark.parametrize(
    ("chosen", "error", "words"),
    [
        ({"properties": ["q"]}, UnknownName, "no property is called `q`"),
        ({"compositions": ["three"]}, UnknownName, "no composition is called `three`"),
    ],
)
def test_unknown_names(tmp_path: Path, chosen: dict[str, list[str]], error: type[MisuseError], words: str) -> None:
    """A property or composition that is not there is said to be unknown."""
    plan = planned(tmp_path, "  - {id: p, of: lamp, never: count > 0, says: P.}")

    with pytest.raises(error, match=words):
        list(check(plan, **chosen))  # type: ignore[arg-type]


def test_charts(tmp_path: Path) -> None:
    """A counterexample as a case of a table, and as a message chart."""
    verdict = found(tmp_path, "of: watcher, never: self is calm and lamp is dim")
    plan = loading.load(tmp_path)
    assert verdict.trace

    assert "      - {at: 0s, send: {lamp a: press}, by: hand}" in case_table(plan, verdict).splitlines()
    chart = message_chart(plan, verdict.trace).splitlines()
    assert chart[0] == "sequenceDiagram"
    assert "    a0->>i0: 0s press" in chart
    assert "    Note over i1: calm → worried" in chart


def test_what_is_never_reached(tmp_path: Path) -> None:
    """Rows that are never taken are told apart from those the durations do not allow."""
    plan = planned(tmp_path, "  - {id: p, of: lamp, never: count > 0, says: P.}")
    found = reach(plan, "two")

    assert found.never == (("lamp", "tune"),)
    assert found.too_late == ()
    assert found.unsaid == ("lamp a: tune", "lamp b: tune")


def test_where_somebody_is_stuck(tmp_path: Path) -> None:
    """Nothing moves a broken lamp; a dark one waits for a hand, a dim one for the end of its time, and neither is stuck."""
    plan = planned(tmp_path, "  - {id: p, of: lamp, never: count > 0, says: P.}")
    (stuck,) = reach(plan, "two").stuck

    assert (stuck.machine, stuck.states) == ("lamp", ("broken",))
    assert [item.name for item in stuck.trace.happenings] == ["press", "kick"]
    assert run_scenario(plan, stuck.trace.scenario).ok


@pytest.mark.parametrize(
    ("row", "states"),
    [
        ("{id: mend, from: broken, event: press, to: dark}", []),
        ("{id: mend, from: broken, event: press, when: count > 0, to: dark}", ["broken"]),
        ("{id: stay, from: broken, event: press}", []),
        ("{id: wait, from: broken, after: 1m, to: dark}", []),
        ("{id: heard, from: broken, event: tune, to: dark}", ["broken"]),
    ],
    ids=["mended", "never-so", "taken-and-stays", "by-time", "never-said"],
)
def test_who_can_move_is_not_stuck(tmp_path: Path, row: str, states: list[str]) -> None:
    """Rows on paper are not enough: one must be taken at some time. A row that leads nowhere is taken all the same."""
    plan = planned(tmp_path, "  - {id: p, of: lamp, never: count > 0, says: P.}", lamp=f"{LAMP}  - {row}\n")

    assert [state for stuck in reach(plan, "two").stuck for state in stuck.states] == states


def test_who_is_done_is_not_stuck(tmp_path: Path) -> None:
    """A final state is an end that is meant."""
    plan = planned(
        tmp_path,
        "  - {id: p, of: lamp, never: count > 0, says: P.}",
        lamp=LAMP.replace("broken: {}", "broken: {final: true}"),
    )

    assert reach(plan, "two").stuck == ()


KEEPER = {
    "keeper.yaml": """
machine: keeper
refs: {kid: {machine: kid, optional: true}}
events: {make: {by: hand}, go: {by: hand}, drop: {internal: true}, again: {internal: true}}
states: {empty: {}, full: {}, heard: {}}
transitions:
  - {id: make, from: empty, event: make, to: full, do: [{spawn: {kid: kid}}]}
  - {id: go, from: full, event: go, do: [{send: {event: finish, to: kid}}, {send: {event: drop}}, {send: {event: again}}]}
  - {id: drop, from: full, event: drop, do: [{stop: kid}]}
  - {id: again, from: full, event: again, do: [{spawn: {kid: kid}}]}
  - {id: hear, from: full, done: kid, to: heard}
""",
    "kid.yaml": """
machine: kid
events: {finish: {internal: true}}
states: {young: {}, old: {final: true}}
transitions:
  - {id: finish, from: young, event: finish, to: old}
""",
    "system.yaml": """
system: keeping
machines: [keeper, kid]
actors: {hand: {}}
compositions: {one: {given: {keeper k: {}}}}
properties: [{id: p, of: keeper, never: self is heard, says: Nobody hears of a child that another has replaced.}]
""",
}


def test_a_child_that_was_replaced_is_not_heard(tmp_path: Path) -> None:
    """Children of one ref have one name in a location, but never two of them at one instant."""
    for name, text in KEEPER.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (verdict,) = check(loading.load(tmp_path))

    assert verdict.ok


def test_constants_of_a_composition(tmp_path: Path) -> None:
    """A composition has constants of its own: its verdicts are about those, the others about the system's."""
    lamp = LAMP.replace("within: 2m", "within: rest")
    plan = planned(
        tmp_path,
        "  - {id: p, of: lamp, while: self is dim, never-longer-than: 90s, says: P.}",
        lamp=lamp,
        also="constants: {rest: 1m}\n  usual: {given: {lamp a: {}, lamp b: {}, watcher w: {lamp: a}}}\nconstants: {rest: {value: 2m}}",
    )
    short, usual = check(plan)

    assert (short.composition, short.outcome) == ("two", "proved")
    assert (usual.composition, usual.outcome) == ("usual", "refuted")


def test_what_the_durations_forbid(tmp_path: Path) -> None:
    """Nobody gives up on a lamp that is dark again soon enough, though with other durations one would."""
    soon = LAMP.replace("within: 2m", "after: 30s").replace("default: 5m", "default: 2m")
    claim = "  - {id: p, of: lamp, never: count > 0, says: P.}"
    found = reach(planned(tmp_path, claim, lamp=soon, also="only: [{lamp a: press}]"), "two")

    assert found.too_late == (("watcher", "give-up"),)


LOOKER = {
    "blink.yaml": """
machine: blink
events: {go: {by: hand}}
states: {p: {}, q: {}, r: {}}
transitions:
  - {id: go, from: p, event: go, to: q}
  - {id: end, from: q, after: 1us, to: r}
""",
    "looker.yaml": """
machine: looker
refs: {blink: blink}
states: {waits: {}, hit: {}}
transitions:
  - {id: look, from: waits, within: 5us, when: blink is q, to: hit}
""",
}


FIRST, LAST = "looker x: {blink: b}, blink b: {}", "blink b: {}, looker x: {blink: b}"
BY_TIMER = {"event: go, to: q": "after: 3us, to: q", "after: 1us, to: r": "after: 0us, to: r"}
BY_BOTH = {
    "event: go, to: q": "event: go, to: o",
    "states: {": "states: {o: {}, ",
    "  - {id: end": "  - {id: go-on, from: o, after: 0us, to: q}\n  - {id: late, from: o, after: 9us, to: r}\n  - {id: end",
    "{o: {}, p: {}": "{p: {}, o: {}",
}


@pytest.mark.parametrize(
    ("given", "changed", "outcome"),
    [(LAST, {}, "refuted"), (FIRST, {}, "proved"), (FIRST, BY_TIMER, "refuted"), (LAST, BY_BOTH, "refuted")],
    ids=["said", "made-first", "a-later-timer", "said-and-then-a-timer"],
)
def test_a_within_row_fires_before_the_rest_of_its_moment(
    tmp_path: Path, given: str, changed: dict[str, str], outcome: str
) -> None:
    """`q` lasts a microsecond or none: who looks at the moment it begins looks before it; at its end, only if made first."""
    for name, text in LOOKER.items():
        for old, new in changed.items():
            text = text.replace(old, new) if name == "blink.yaml" else text  # noqa: PLW2901  # one change after another
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "system.yaml").write_text(
        f"""
system: looking
machines: [blink, looker]
actors: {{hand: {{}}}}
compositions: {{one: {{given: {{{given}}}}}}}
properties: [{{id: p, of: looker, reachable: self is hit, says: It is seen.}}]
""",
        encoding="utf-8",
    )
    (verdict,) = check(loading.load(tmp_path))

    assert verdict.outcome == outcome
