"""`python -m tests.simulation --seeds 10000`: run after run, until one goes wrong. `--seed N` tells one of them again."""

from __future__ import annotations

import argparse
import sys
import traceback
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from tests.simulation.judging import judge
from tests.simulation.run import Run


def simulate(seed: int, operations: int = 25) -> Counter[str]:
    """One run, judged; what happened in it. Raises AssertionError."""
    run = Run(seed, operations)
    engine = run.tell()
    judge(run, engine)
    happened = Counter(run.counted)
    happened += Counter(run.database.mishaps)
    happened["decisions"] = len(run.database.tables.journal)
    happened["inputs"] = len(run.answers)
    happened["effects"] = len(run.handled)
    return happened


def told(seed: int, operations: int) -> tuple[int, Counter[str], str]:
    """One run, and what went wrong in it."""
    try:
        return seed, simulate(seed, operations), ""
    except Exception:  # noqa: BLE001  # whatever it is, it is a finding
        return seed, Counter(), traceback.format_exc()


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1_000, help="how many runs")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="only this one")
    parser.add_argument("--operations", type=int, default=25, help="of each worker")
    parser.add_argument("--processes", type=int, default=1)
    given = parser.parse_args()
    seeds = range(given.first, given.first + given.seeds) if given.seed is None else [given.seed]
    total, failed = Counter[str](), list[int]()
    with ProcessPoolExecutor(given.processes) as pool:
        for seed, happened, wrong in pool.map(partial(told, operations=given.operations), seeds, chunksize=16):
            total += happened
            if wrong:
                failed.append(seed)
                print(f"seed {seed}\n{wrong}", file=sys.stderr)
    print(f"{len(seeds)} runs:", ", ".join(f"{count} {what}" for what, count in sorted(total.items())))
    if failed:
        print("failed:", *(f"--seed {seed}" for seed in failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
