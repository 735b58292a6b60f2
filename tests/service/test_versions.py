"""A service whose store has been moved: it needs no plan, and tells what was decided under the version before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from outlast.errors import StoreError
from outlast.moments import HOUR, MINUTE
from outlast.service import answers
from outlast.service.app import create_app, open_deck
from outlast.store.engine import Engine
from outlast.store.migration import migrate
from outlast.store.opening import open_backend
from tests.service.conftest import TestClient
from tests.service.test_serving import asked, running
from tests.store.people import START, Clock
from tests.store.test_migration import changed, lamps
from tests.store.test_versions import WHOLE

Outlast = Callable[..., Result]


def test_without_a_plan_and_with_a_past(tmp_path: Path) -> None:
    """Timers and reasons of rows that are gone are told as they were."""
    url, clock = f"sqlite:///{tmp_path}/store.db", Clock()
    backend = lamps(url, clock)
    migrate(backend, WHOLE, clock=clock)
    backend.close()
    clock.now += MINUTE
    deck = open_deck(url, clock=clock)
    with TestClient(create_app(deck), base_url="http://localhost") as client:
        history = client.get("/v1/instances/high/history").json()["decisions"]
        why = client.get("/v1/instances/high/explanation?version=3").json()

        assert client.get("/v1/system").json()["hash"] == WHOLE.hash
        assert [(row["cause"], row["timer"]) for row in history[2:]] == [("timer", "grow"), ("migrated", None)]
        assert [row["transition"] for row in why["candidates"]] == ["grow"]


def test_a_timer_of_several_states() -> None:
    """It goes by the id of its row."""
    plan = changed(("{id: grow, from: low,", "{id: grow, from: [dark, low],"))
    with Engine.open("sqlite://", plan, clock=Clock()) as engine:
        engine.create("lamp", "one")
        engine.run_timers(START + HOUR)
        last = engine.history("one")[-1]

        assert (last.timer, answers.decision(last)["timer"]) == ("grow@dark", "grow")


def test_without_a_plan_and_without_a_past(tmp_path: Path) -> None:
    """There is nothing to serve, and nothing is made."""
    with pytest.raises(StoreError, match="there is no such database"):
        open_deck(f"sqlite:///{tmp_path}/store.db")
    open_backend(f"sqlite:///{tmp_path}/store.db").close()
    with pytest.raises(StoreError, match="the store is empty: say which specification it is to be under"):
        open_deck(f"sqlite:///{tmp_path}/store.db")


def test_served_without_a_system(outlast: Outlast, tmp_path: Path) -> None:
    """The command needs no specification where the store has one; a reading belongs to a specification."""
    url = f"sqlite:///{tmp_path}/store.db"
    bare, reading = outlast("serve", "--store", url), outlast("serve", "--store", url, "--reading", "A-02=pin")
    lamps(url, Clock()).close()
    with running("--store", url, "--leap", "36500d", system="--conformance") as (_, address):
        found = asked(address, "/v1/system")

    assert (bare.exit_code, "there is no such database" in " ".join(bare.stderr.split())) == (2, True)
    assert (reading.exit_code, " ".join(reading.stderr.split())) == (
        2,
        "outlast: --reading needs a SYSTEM: without one the store is served as it is",
    )
    assert isinstance(found, dict)
    assert found["machines"][0]["machine"] == "lamp"
