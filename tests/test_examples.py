"""The examples of the embedding guide work as they stand."""

from __future__ import annotations

import asyncio
import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from starlette.testclient import TestClient

from outlast.loading import load
from outlast.moments import DAY, HOUR
from outlast.store.engine import Engine
from tests.store.people import START, Clock

EXAMPLES = Path(__file__).parents[1] / "examples"

if not EXAMPLES.is_dir():
    pytest.skip("the examples are not beside these tests", allow_module_level=True)


def example(name: str) -> ModuleType:
    """One of them, as a module."""
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec
    assert spec.loader
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_service_with_rows_of_its_own() -> None:
    """Rows in one database, machines in another; a repeat gets the first answer, a refusal its reason."""
    client = TestClient(example("shop").shop("sqlite://", "sqlite://"))
    order = client.post("/orders?customer=ana&cents=1200").json()
    early = client.post("/orders/1/ship?key=a")

    assert order == {"id": 1, "state": "open"}
    assert (early.status_code, early.json()) == (409, {"detail": "It is not paid yet."})
    assert client.post("/orders/1/pay?key=b").json() == {"state": "paid"}
    assert client.post("/orders/1/pay?key=b").json() == {"state": "paid"}
    assert client.post("/orders/1/ship?key=b").status_code == 422
    assert client.get("/orders/1").json() == {"customer": "ana", "state": "paid", "allowed": ["ship", "cancel"]}
    assert client.post("/orders/2/pay?key=c").status_code == 404


def test_a_worker(tmp_path: Path) -> None:
    """What is due fires at its own instant, and every effect is carried out."""
    url, clock = f"sqlite:///{tmp_path}/store.db", Clock(START)
    worker = example("worker")
    with Engine.open(url, worker.PLAN, clock=clock) as engine:
        engine.create("order", "one", cents=1200)
        engine.create("order", "two", cents=7)
        engine.send("one", "pay")
        clock.now += 4 * DAY
        letters = asyncio.run(worker.until(url, clock, 2))

        assert sorted(letters) == ["one: thank you for 1200 cents", "two: you did not pay in time"]
        assert engine.history("two")[-1].at == START + 3 * DAY


def test_a_reconciler(tmp_path: Path) -> None:
    """What never arrived is said when it is found, once, in the order in which it became true; what arrives late changes nothing."""
    reconcile, clock = example("reconcile"), Clock(START)
    with Engine.open(f"sqlite:///{tmp_path}/store.db", reconcile.PLAN, clock=clock) as engine:
        for name in ("one", "two", "three"):
            engine.create("order", name, cents=1200)
        engine.send("two", "pay", source="bus", id="1")
        clock.now += DAY
        shipped = reconcile.Fact("one", "shipped", START + 3 * HOUR)
        paid = [reconcile.Fact(name, "paid", START + 2 * HOUR) for name in ("one", "two", "nobody")]
        facts = [shipped, *paid, reconcile.Fact("three", "open", START)]
        said = reconcile.reconcile(engine, facts)
        again = reconcile.reconcile(engine, facts)
        late = engine.send("one", "pay", source="bus", id="2", at=START + 2 * HOUR)

        assert [(receipt.instance, *receipt.transitions) for receipt in said] == [("one", "pay"), ("one", "ship")]
        assert [receipt.decision.stamp for receipt in said] == [START + 2 * HOUR, START + 3 * HOUR]
        assert again == []
        assert (late.accepted, engine.get("one").state) == (False, "shipped")


@pytest.mark.needs("node")
def test_another_language(tmp_path: Path) -> None:
    """A client that knows only HTTP."""
    assert load(EXAMPLES / "order.yaml").machines
    command = [sys.executable, "-m", "outlast", "serve", str(EXAMPLES / "order.yaml"), "--port", "0"]
    server = subprocess.Popen(
        [*command, "--store", f"sqlite:///{tmp_path}/store.db"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout
        address = server.stdout.readline().split()[-1]
        told = subprocess.run(["node", EXAMPLES / "client.mjs", address], capture_output=True, text=True, check=True)
    finally:
        server.terminate()
        server.communicate()

    assert told.stdout.splitlines() == ["It is not paid yet.", "true true", "ship"]
