"""Some of the runs that `python -m tests.simulation` does by the thousand; and a store that is broken on purpose is found out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import attrs
import pytest

from outlast.store.engine import Engine
from outlast.store.records import OutgoingEffect
from outlast.store.world import Session
from tests.simulation import database as simulated
from tests.simulation import tables
from tests.simulation.__main__ import simulate
from tests.simulation.database import Database, SimulatedReading, SimulatedTransaction
from tests.simulation.tables import Row, Tables

BRIEF = 6
"""Operations of each worker."""


@pytest.mark.parametrize("first", range(0, 300, 30))
def test_whatever_goes_wrong(first: int) -> None:
    """Each input once, each timer once at its own instant, every effect, nothing by half: in run after run."""
    happened = Counter[str]()
    for seed in range(first, first + 30):
        try:
            happened += simulate(seed, BRIEF)
        except Exception as error:
            raise AssertionError(f"python -m tests.simulation --operations {BRIEF} --seed {seed}: {error}") from error

    assert {"kill", "crash", "break_", "conflict"} <= {*happened}


def test_a_seed_is_a_run() -> None:
    """The same seed leads to the same, mishap by mishap."""
    assert simulate(7) == simulate(7)


# ---- broken on purpose


def torn_commits_are_kept(patch: pytest.MonkeyPatch) -> None:
    """A server that takes half a transaction for a whole one."""

    def recovered(log: list[Row]) -> tuple[Tables, list[Row]]:
        rows = [row for row in log if row != simulated.COMMITTED]
        return Tables().after(rows), log

    patch.setattr(simulated, "recovered", recovered)


def commits_are_not_durable(patch: pytest.MonkeyPatch) -> None:
    """A server that answers before its log is written."""
    recovered = simulated.recovered

    def forgetful(log: list[Row]) -> tuple[Tables, list[Row]]:
        ends = [place for place, row in enumerate(log) if row == simulated.COMMITTED]
        return recovered(log[: ends[-2] + 1] if len(ends) > 1 else log)

    patch.setattr(simulated, "recovered", forgetful)


def repeats_are_not_known(patch: pytest.MonkeyPatch) -> None:
    """An inbox that forgets."""
    patch.setattr(SimulatedReading, "answers", lambda _self, _keys: {})


def nobody_looks_again_under_the_lock(patch: pytest.MonkeyPatch) -> None:
    """A lock that does not tell what was answered before it was held."""
    lock = SimulatedTransaction.lock
    patch.setattr(
        SimulatedTransaction, "lock", lambda self, ids, **what: attrs.evolve(lock(self, ids, **what), answers={})
    )


def nothing_fires_before_an_event(patch: pytest.MonkeyPatch) -> None:
    """An engine that takes an event without looking at what was due."""
    patch.setattr(Engine, "_catch_up", lambda _self, _session, _locked, _groups, now: now)


def timers_fire_when_the_worker_comes(patch: pytest.MonkeyPatch) -> None:
    """An engine that fires at its own instant, not at the timer's."""
    happen = Session._happen
    patch.setattr(Session, "_happen", lambda self, due: happen(self, attrs.evolve(due, at=due.at + 1)))


def groups_are_woken_late(patch: pytest.MonkeyPatch) -> None:
    """A group that is woken by its last deadline, not by its first."""

    def late(self: Tables, group: str, now: int) -> None:
        dues = [row.due for row in self.instances.values() if row.group == group and row.due is not None]
        self.clocks[group] = (now, max(dues, default=None))

    patch.setattr(Tables, "time", late)


def nobody_is_locked_out(patch: pytest.MonkeyPatch) -> None:
    """Transactions that do not wait for one another."""
    patch.setattr(SimulatedTransaction, "wait_until", lambda _self, _free: None)
    patch.setattr(SimulatedTransaction, "_own", lambda _self, _key: True)


def effects_overtake(patch: pytest.MonkeyPatch) -> None:
    """An outbox that gives an effect away while the one before it waits."""
    patch.setattr(Tables, "waiting", lambda self: [row for row in self.outbox.values() if row.state == "pending"])


def failures_are_forgotten(patch: pytest.MonkeyPatch) -> None:
    """An outbox that takes a failed attempt for a delivery."""

    def settle(self: SimulatedTransaction, effect: OutgoingEffect, _state: str, due: int, error: str | None) -> None:
        self.rows.append(("settle", effect, "done", due, error))

    patch.setattr(SimulatedTransaction, "settle_effect", settle)


def some_effects_are_lost(patch: pytest.MonkeyPatch) -> None:
    """A transaction that writes only the first effect of several."""

    def fewer(changes: Any) -> list[Row]:
        changes.effects = changes.effects[:1]
        return tables.rows_of(changes)

    patch.setattr(simulated, "rows_of", fewer)


def answers_come_before_commits(patch: pytest.MonkeyPatch) -> None:
    """A lost connection that is taken for a success."""
    commit = Database.commit

    def deaf(self: Database, rows: list[Row]) -> None:
        if not self.happens("break_"):
            commit(self, rows)

    patch.setattr(Database, "commit", deaf)


def followers_go_too_far(patch: pytest.MonkeyPatch) -> None:
    """A journal that is read on behind numbers nobody has committed yet."""
    patch.setattr(SimulatedReading, "settled", lambda self: self.database.turn)


@pytest.mark.parametrize(
    "fault",
    [
        torn_commits_are_kept,
        commits_are_not_durable,
        repeats_are_not_known,
        nobody_looks_again_under_the_lock,
        nothing_fires_before_an_event,
        timers_fire_when_the_worker_comes,
        groups_are_woken_late,
        nobody_is_locked_out,
        effects_overtake,
        failures_are_forgotten,
        some_effects_are_lost,
        answers_come_before_commits,
        followers_go_too_far,
    ],
    ids=lambda fault: fault.__name__,
)
def test_a_broken_store_is_found_out(
    monkeypatch: pytest.MonkeyPatch, fault: Callable[[pytest.MonkeyPatch], None]
) -> None:
    """Whatever is broken, a few runs notice."""
    fault(monkeypatch)

    with pytest.raises(Exception):  # noqa: B017, PT011, PT012  # how it shows is the simulation's business
        for seed in range(60):
            simulate(seed, 12)
