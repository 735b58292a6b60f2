"""Events: how many a second, and how many times as many as `transitions` takes in the same round."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from tests.bench.contender import Contender, contenders
from tests.bench.machine import LOOP
from tests.bench.measuring import Run, spread
from tests.bench.report import Column, Table

BASE = "transitions"


def tables(run: Run) -> Iterator[Table]:
    """One row for everybody, fastest first within ours, peers and limits."""
    everybody, missing = contenders()
    for each in everybody:
        each.prove()
    instances = {each.name: each.new() for each in everybody}
    done = dict.fromkeys(instances, 0)

    def turn(each: Contender, loops: int) -> None:
        each.run(instances[each.name], loops)
        done[each.name] += loops

    taken = run.seconds({each.name: partial(turn, each) for each in everybody})
    for each in everybody:
        each.see(instances[each.name], done[each.name])
    rows = []
    for each in everybody:
        events = spread([len(LOOP) / seconds for seconds in taken[each.name]])
        ratio = spread([base / seconds for base, seconds in zip(taken[BASE], taken[each.name], strict=True)])
        rows.append((each, (events, ratio, each.version or None)))
    rows.sort(key=lambda row: (("ours", "peer", "limit").index(row[0].role), -row[1][0].median))
    about = (
        "One instance, a loop of six events by name, one with a guard and an action. Everybody is seen to end in the same state "
        "with the same count. In brackets the quartiles of the rounds."
    )
    if missing:
        about += f" Not installed: {', '.join(missing)}."
    columns = (Column("events/s", "number"), Column(f"as many as {BASE}", "times", spread=True), Column("version"))
    yield Table("Events", about, columns, tuple((each.name, cells) for each, cells in rows))
