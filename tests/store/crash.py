"""Workers killed at random moments, and what is left: `python -m tests.store.crash --rounds 200 sqlite`.

A worker sends numbered events to its share of fuses, fires timers and delivers effects; it acknowledges each answer on its output before the
next. It is killed (SIGKILL), another goes on from the last acknowledgement. With `postgres` every other round kills the server as well. At
the end everything acknowledged is there once, nothing is there by half, every timer fired once, every effect is in the outbox, and the
journal leads to exactly this.
"""

from __future__ import annotations

import argparse
import itertools
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from random import Random

from outlast.moments import HOUR, SECOND
from outlast.plan import Plan
from outlast.store.engine import Engine
from outlast.store.records import OutgoingEffect
from tests.run.worlds import plan_of
from tests.store.people import START
from tests.store.server import Server, running

FUSE = """
machine: fuse
fields: {pressed: {type: int, default: 0}}
events: {press: {}, stop: {}}
effects: {bang: {}, pressed: {payload: {times: int}}}
states: {lit: {}, burnt: {final: true}}
transitions:
  - {id: press, from: lit, event: press, do: [{set: {pressed: pressed + 1}}, {emit: {pressed: {times: pressed}}}]}
  - {id: burn, from: lit, after: 1h, to: burnt, do: [{emit: bang}]}
"""
SIZE = 6
"""Fuses begun by one event; each is pressed twice, then burns."""


def plan() -> Plan:
    """The plan of the fuses."""
    return plan_of(FUSE)


def work(url: str, name: str, first: int) -> None:
    """Go on from round `first` until killed, saying on the output what is acknowledged."""
    with Engine.open(url, plan(), clock=lambda: START, leap=None) as engine:
        for number in itertools.count(first):
            now = START + number * SECOND
            ids = [f"{name}-{number}-{index}" for index in range(SIZE)]
            engine.begin({id_: ("fuse", {}, None) for id_ in ids}, at=now, id=f"{name} begin {number}")
            print(f"begun {number}", flush=True)
            for id_, turn in itertools.product(ids, (1, 2)):
                engine.send(id_, "press", at=now + turn, id=f"{id_} press {turn}")
                print(f"pressed {id_} {turn}", flush=True)
            engine.run_timers(now)
            if number % 3 == 0:
                engine.deliver({"*": told}, limit=20)


def told(effect: OutgoingEffect) -> None:
    """Say that an effect was handled."""
    print(f"told {effect.id}", flush=True)


def crash(url: str, rounds: int, *, workers: int = 1, seed: int = 0, server: Server | None = None) -> Counter[str]:
    """Kill workers `rounds` times, every other time their server first; what was counted. Raises AssertionError."""
    random = Random(seed)
    Engine.open(url, plan()).close()
    said: list[str] = []
    for number in range(rounds):
        processes = [started(url, str(each), reached(said, str(each))) for each in range(workers)]
        lines = random.randrange(1, 60)  # a random moment of their work, not of the clock
        for process in processes:
            said += heard(process, lines)
        if server is not None and number % 2:
            server.kill()
        for process in processes:
            process.kill()
            said += heard(process, None)
            process.communicate()
        if server is not None and number % 2:
            server.start()
    return judge(url, said)


def started(url: str, name: str, first: int) -> subprocess.Popen[str]:
    """A worker that goes on from round `first`. That its server is killed under it is not worth a word."""
    command = [sys.executable, "-m", "tests.store.crash", "--work", name, "--first", str(first), url]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(command, text=True, cwd=Path(__file__).parents[2], **pipes)  # type: ignore[call-overload,no-any-return]  # the numbers of pipes


def heard(process: subprocess.Popen[str], count: int | None) -> list[str]:
    """What a worker says, whole lines only: so many, or (None) all that is left."""
    assert process.stdout is not None
    return [line for line in itertools.islice(process.stdout, count) if line.endswith("\n")]


def reached(said: list[str], name: str) -> int:
    """The last round in which a worker had something acknowledged."""
    return max((int(line.split("-")[1]) for line in said if line.startswith(f"pressed {name}-")), default=0)


def judge(url: str, said: list[str]) -> Counter[str]:
    """Hold what is stored against what was acknowledged."""
    with Engine.open(url, plan(), clock=lambda: START + 1_000 * HOUR, leap=None) as engine:
        engine.run_timers()
        decisions = engine.decisions(limit=10_000_000)
        presses = Counter(decision.id for decision in decisions if decision.id and " press " in decision.id)
        acknowledged = {f"{line.split()[1]} press {line.split()[2]}" for line in said if line.startswith("pressed")}
        assert acknowledged <= {*presses}, "an acknowledged event is lost"
        assert set(presses.values()) <= {1}, "an event was taken twice"
        burnt = Counter(decision.instance for decision in decisions if decision.cause == "timer")
        made = Counter(decision.instance for decision in decisions if decision.cause == "start")
        assert burnt == made, "a timer was lost or fired twice"
        begun = Counter(decision.turn for decision in decisions if decision.cause == "start")
        assert set(begun.values()) <= {SIZE}, "a transaction is there by half"
        done = {line.split()[1] for line in said if line.startswith("told")}
        effects = {effect.id for effect in engine.effects(limit=10_000_000)}
        assert done <= effects, "an effect was handled that nobody decided"
        assert len(effects) == len(burnt) + len(presses), "an effect is missing"
        seen: list[str] = []
        while engine.deliver({"*": lambda effect: seen.append(effect.id)}).done:
            pass
        missing = effects - done - {*seen} - {effect.id for effect in engine.effects("done", limit=10_000_000)}
        assert not missing, "an effect never left"
        verified = engine.verify()
        assert verified.ok, verified.findings[:3]
        return Counter(acknowledged=len(acknowledged), events=len(presses), timers=len(burnt), effects=len(effects))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", help="sqlite or postgres for one of its own, or the URL of a store that may be spoilt")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", help=argparse.SUPPRESS)
    parser.add_argument("--first", type=int, default=0, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work is not None:
        work(given.url, given.work, given.first)
        return
    about = {"workers": given.workers, "seed": given.seed}
    if given.url == "postgres":
        with running(fsync=True) as server:
            counted = crash(server.url, given.rounds, server=server, **about)
    else:
        with tempfile.TemporaryDirectory() as folder:
            url = f"sqlite:///{folder}/crash.db" if given.url == "sqlite" else given.url
            counted = crash(url, given.rounds, **about)
    print(
        f"{given.rounds} rounds, {given.workers} workers killed in each:",
        *(f"{count} {what}," for what, count in counted.items()),
        "all in order",
    )


if __name__ == "__main__":
    main()
