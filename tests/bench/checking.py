"""What a check costs: zones, processor time and memory, part by part and whole, and how soon planted faults are found.

    python -m tests.bench.checking [SECONDS]

Each search runs in a process of its own; one that takes longer than SECONDS (120) is reported as far as it came.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from outlast import loading
from outlast.errors import LimitExceeded
from outlast.moments import format_duration
from outlast.proofs.timed import check
from outlast.proofs.timed.composed import compose
from outlast.proofs.timed.search import Search
from outlast.proofs.timed.successors import Successors
from tests.proofs.faults import FAULTS

COMPOSITIONS = ("one-job", "two-jobs", "two-users")


def search(name: str, seconds: float) -> dict[str, object]:
    """All of a composition, with nothing left out: how much there is, and what it takes."""
    plan = loading.load("sagemaker")
    composed = compose(plan, plan.compositions[name])
    began = time.process_time()
    found = Search(Successors(composed.plan, composed.snapshots, composed.said))
    whole = True
    try:
        for _ in found:
            if time.process_time() - began > seconds:
                whole = False
                break
    except LimitExceeded:
        whole = False
    return {
        "whole": whole,
        "locations": found.locations,
        "zones": found.zones,
        "transitions": found.transitions,
        "seconds": time.process_time() - began,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def proofs(name: str) -> dict[str, object]:
    """Every property, in the part that matters to it."""
    plan = loading.load("sagemaker")
    began = time.process_time()
    verdicts = list(check(plan, compositions=[name]))
    return {
        "properties": len(verdicts),
        "proved": sum(verdict.ok for verdict in verdicts),
        "seconds": time.process_time() - began,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def apart(*words: str) -> dict[str, object]:
    """The answer of this module, asked in a process of its own."""
    done = subprocess.run([sys.executable, "-m", "tests.bench.checking", *words], capture_output=True, check=True)
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


def faults() -> None:
    """How long a run shows each fault in, and how soon it is found."""
    for fault in FAULTS:
        with tempfile.TemporaryDirectory() as folder:
            plan = fault.planted(Path(folder))
        began = time.process_time()
        (verdict,) = check(plan, properties=[fault.property], first=True)
        took = time.process_time() - began
        trace = verdict.trace
        size = f"{len(trace.happenings)} steps, {format_duration(trace.duration)}" if trace else verdict.outcome
        print(f"{fault.name:48}{fault.property:36}{size:20}{took:6.2f} s")


def report(seconds: str) -> None:
    """All of it, as tables."""
    print("properties, sliced")
    for name in COMPOSITIONS:
        found = apart("proofs", name)
        print(
            f"  {name:10} {found['proved']} of {found['properties']} proved, {found['seconds']:.2f} s, {found['megabytes']} MB"
        )
    print("whole compositions")
    for name in COMPOSITIONS:
        found = apart("search", name, seconds)
        rate = float(str(found["zones"])) / float(str(found["seconds"]))
        end = "" if found["whole"] else ", not to its end"
        print(
            f"  {name:10} {found['locations']:,} locations, {found['zones']:,} zones, {found['transitions']:,} transitions, "
            f"{found['seconds']:.2f} s ({rate:,.0f} zones/s), {found['megabytes']} MB{end}"
        )
    print("planted faults")
    faults()


def main() -> None:
    """Everything, or one answer for `apart`."""
    match sys.argv[1:]:
        case ["proofs", name]:
            print(json.dumps(proofs(name)))
        case ["search", name, seconds]:
            print(json.dumps(search(name, float(seconds))))
        case rest:
            report(rest[0] if rest else "120")


if __name__ == "__main__":
    main()
