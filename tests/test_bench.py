"""The benchmark: its contenders do the same work, its figures are what they claim to be, its outputs can be read. Nothing is timed here."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import attrs
import pytest

import outlast
from outlast.views.theme import THEMES
from tests.bench.__main__ import RESULTS, topics
from tests.bench.contender import Contender, contenders
from tests.bench.importing import COMMANDS
from tests.bench.machine import FINAL, LIMIT, LOOP, ROWS, SPECS, STATES
from tests.bench.measuring import Run, Spread, spread
from tests.bench.picture import chart
from tests.bench.report import Column, Table
from tests.bench.waiting import crowd

HERE, _ = contenders(("ours", "limits", "transitions_library"))
ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("contender", HERE, ids=lambda contender: contender.name)
def test_contenders_do_the_work(contender: Contender) -> None:
    """Everybody who is here ends where the loop ends, having counted; instances share nothing."""
    other = contender.new()
    contender.prove(3)

    contender.see(other, 0)


def test_idleness_is_seen() -> None:
    """A contender that skips an event, or does not count, is not let in."""
    lazy = attrs.evolve(HERE[0], run=lambda _instance, _loops: None)
    with pytest.raises(AssertionError, match="counted 0, not 7"):
        lazy.prove()
    with pytest.raises(AssertionError, match="ends in grace"):
        attrs.evolve(HERE[0], state=lambda _: "grace").prove()


def test_the_rows_are_those_of_the_specification() -> None:
    """What the peers are made of says the same as the YAML that this engine reads, and the loop is one."""
    machine = outlast.load(SPECS / "job.yaml").machines["job"]
    names = [state.name for state in machine.states]
    rows = {(names[row.source], row.descriptors[0], names[row.targets[0]]) for row in machine.transitions}
    step = {(source, event): target for source, event, target in ROWS}
    state = "queued"
    for event in LOOP:
        state = step[state, event]

    assert state == "queued"
    assert rows == {*ROWS}
    assert names == [*STATES]
    assert {name for name in names if machine.state(name).kind == "final"} == {*FINAL}
    assert machine.fields["limit"].default == LIMIT
    assert [str(row.guard) for row in machine.transitions if row.guard] == ["enabled and count < limit"]


def test_the_observer_observes() -> None:
    """In the system with an observer, a loop wakes it and calms it, and its timer is set and dropped."""
    system = outlast.System(outlast.load(SPECS))
    job = system.add("job", "job")
    watch = system.add("watch", "watch", job=job)
    seen = []
    for event in LOOP:
        system.send(job, event)
        seen.append((watch.state, len(watch.deadlines)))

    assert seen == [("calm", 0), ("calm", 0), ("waiting", 1), ("calm", 0), ("calm", 0), ("calm", 0)]


def test_timers_of_a_crowd_fire_one_by_one() -> None:
    """Each has an instant of its own, in order."""
    system = crowd(outlast.load(SPECS / "waiting.yaml"), 5)
    fired = []
    while (due := system.next_due) is not None:
        fired += [step.instance for step in system.advance_to(due)]

    assert fired == ["j0", "j1", "j2", "j3", "j4"]


def test_everybody_has_the_same_number_of_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many units in each round as fill a turn; figures are seconds for one of them, by round."""
    clock = [0.0]
    asked: dict[str, list[int]] = {"fast": [], "slow": []}

    def worker(name: str, seconds: float) -> Any:
        def turn(size: int) -> None:
            asked[name].append(size)
            clock[0] += size * seconds

        return turn

    monkeypatch.setattr(time, "process_time", lambda: clock[0])
    run = Run(rounds=4, turn=1.0)
    found = run.seconds({"fast": worker("fast", 0.001), "slow": worker("slow", 0.2)})

    assert {name: [round(each, 6) for each in values] for name, values in found.items()} == {
        "fast": [0.001] * 4,
        "slow": [0.2] * 4,
    }
    assert asked["fast"][-4:] == [1000] * 4
    assert asked["slow"][-4:] == [5] * 4


def test_the_median_stands_between_the_quartiles() -> None:
    """Of one value all three are that value."""
    assert spread([5.0]) == Spread(5.0, 5.0, 5.0)
    assert spread([1.0, 2.0, 3.0, 4.0, 100.0]) == Spread(3.0, 2.0, 4.0)


TABLE = Table(
    "Events",
    "What it is about, in many words. " * 8,
    (Column("events/s", "number"), Column("as many as transitions", "times", spread=True), Column("version")),
    (
        ("outlast: System.send", (Spread(1.7e6, 1.6e6, 1.8e6), Spread(13.04, 12.0, 14.1), None)),
        ("transitions", (Spread(123_456.0, 1.2e5, 1.3e5), Spread(1.0, 1.0, 1.0), "0.9.3")),
        ("<peer> & co", (999.7, Spread(0.0712, 0.07, 0.0799), "")),
    ),
)


def test_tables_can_be_read() -> None:
    """In 100 columns, three digits each, names to the left and figures to the right."""
    lines = TABLE.text().splitlines()

    assert max(map(len, lines)) <= 100
    assert lines[-3:] == [
        "outlast: System.send    1.70 M  13.0 x  [12.0 .. 14.1]        -",
        "transitions              123 k  1.00 x  [1.00 .. 1.00]    0.9.3",
        "<peer> & co             1.00 k  0.07 x  [0.07 .. 0.08]",
    ]
    assert json.loads(json.dumps(TABLE.to_json()))["rows"][1]["as many as transitions"]["median"] == 1.0


def test_the_chart_can_be_read() -> None:
    """Well-formed, with a title and a description, names escaped, faster to the right of the line of 1 and slower to the left, in both themes."""
    rows = [{**row, "events/s": {"median": 1e5}} for row in TABLE.to_json()["rows"]]  # type: ignore[attr-defined]
    table = {"title": "Events", "rows": rows}
    about = {
        "date": "2026-01-02",
        "python": "CPython 3",
        "machine": "Linux",
        "rounds": 3,
        "versions": {"outlast": "0.1"},
    }
    text = chart({**about, "tables": [table]})
    root = ET.fromstring(text)  # noqa: S314  # our own file
    space = "{http://www.w3.org/2000/svg}"
    bars = [
        (float(rect.get("x", "")), float(rect.get("width", "")))
        for group in root.iter(f"{space}g")
        for rect in group.iter(f"{space}rect")
    ]
    one = float(next(line for line in root.iter(f"{space}line") if line.get("class") == "one").get("x1", ""))

    assert [child.tag.removeprefix(space) for child in root][:2] == ["title", "desc"]
    assert "&lt;peer&gt; &amp; co" in text
    assert "2026-01-02; CPython 3; Linux; median and quartiles of 3 rounds of CPU time" in text
    assert all(theme["hot"] in text for theme in THEMES.values())
    assert bars[0][0] == pytest.approx(one, abs=0.1) and bars[0][1] > 100
    assert sum(bars[2]) == pytest.approx(one, abs=0.2) and bars[2][1] > 100


def test_modules_with_tables_are_topics() -> None:
    """Ours come first; whoever adds a module with `tables` adds a topic."""
    assert [*topics()][:5] == ["sending", "making", "importing", "loading", "waiting"]


def test_every_command_looked_at_exists() -> None:
    """The programs whose start-up is measured run."""
    for words in COMMANDS:
        done = subprocess.run([sys.executable, "-m", "outlast", *words.split()], capture_output=True, check=False)
        assert done.returncode == 0, done.stderr


def test_nonsense_is_refused() -> None:
    """A topic nobody knows is an error of the caller, with what there is; nothing is installed or measured for it."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench", "sendign"], capture_output=True, text=True, check=False, cwd=ROOT
    )

    assert done.returncode == 2
    assert "no topic is called sendign: there are sending, making, importing, loading, waiting" in done.stderr


def test_the_written_chart_is_that_of_the_written_figures() -> None:
    """Neither is ever changed by hand."""
    result = json.loads((RESULTS / "speed.json").read_text("utf-8"))

    assert (RESULTS / "speed.svg").read_text("utf-8") == chart(result)
    assert {"transitions", "sismic", "hat-stc", "automat", "automaton"} <= {*result["versions"]}
