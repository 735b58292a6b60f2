"""The same in, the same out: whatever the hash seed, in every process."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import outlast
from outlast.errors import OutlastError
from outlast.run import System, Terms, explain, run_scenario
from tests.oracle.machines import random_run
from tests.run.worlds import STORIES, bundled_plans, random_plan, told

ROOT = Path(__file__).parents[2]


def stories() -> list[object]:
    """Every bundled story: its plan's hash, steps, effects, explanations of what was refused, and its end."""
    found: list[object] = []
    for name, file in STORIES:
        plan = bundled_plans()[name]
        run = run_scenario(plan, outlast.load_scenario(file), terms=Terms(resolve="seed:1"))
        steps = [moment.step for moment in run.moments]
        found += [plan.hash, told(*steps), [step.effects for step in steps], run.verdicts]
        found += [str(explain(step)) for step in steps]
        found.append(json.dumps(run.system.snapshot().to_json(plan)))
    return found


def machines(count: int) -> list[object]:
    """Random machines and what they do with their events."""
    found: list[object] = []
    for seed in range(count):
        machine, events = random_run(seed)
        plan = random_plan(machine)
        system = System(plan, terms=Terms(microsteps=100))
        found.append(plan.hash)
        try:
            system.add(next(iter(plan.machines)), "x")
            for event in events:
                found += [str(system.explain("x", event)), list(map(str, system.enabled("x")))]
                step = system.send("x", event)
                found += [told(step, *step.caused), step.effects, step.after]
        except OutlastError as error:
            found.append(str(error))
    return found


def digest() -> str:
    """A name for everything above."""
    return hashlib.sha256(repr([*stories(), *machines(50)]).encode()).hexdigest()


def test_the_hash_seed_changes_nothing() -> None:
    """Processes with different hash seeds tell every story and run every machine alike."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", "from tests.run.test_determinism import digest; print(digest())"],
            cwd=ROOT,
            env={
                **os.environ,
                "PYTHONHASHSEED": seed,
                "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)]),
            },
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in ("0", "1", "4242")
    ]
    digests = [process.communicate(timeout=60)[0].strip() for process in processes]

    assert 1 == len(set(digests))
    assert 64 == len(digests[0])
