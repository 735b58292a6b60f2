"""A service in this process, around a store in memory, with a clock that is told what time it is."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from outlast.loading import load, scenarios
from outlast.plan import Plan
from outlast.service.app import create_app, open_deck
from outlast.service.deck import Deck
from outlast.service.settings import USUAL, Limits
from outlast.service.tokens import Tokens
from tests.cli.conftest import outlast
from tests.store.conftest import BACKENDS, postgres, server
from tests.store.people import Clock

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # an older Starlette uses what a newer anyio calls otherwise
    from starlette.testclient import TestClient

__all__ = ["TestClient", "outlast", "postgres", "server"]

on_both = pytest.mark.parametrize("service", BACKENDS, indirect=True)
"""For tests whose service is around a store in memory, and then around one on a server."""

TOKENS = {role: f"{role}-{'0123456789abcdef'}" for role in ("read", "write", "admin")}
"""A token of each role."""
KNOWN = Tokens.read("\n".join(f"{role}:{token}" for role, token in TOKENS.items()), "tokens")
UNHURRIED = attrs.evolve(USUAL, rate=None, poll=60.0)
"""No limit on the rate; nobody looks for other processes."""
PEOPLE: list[dict[str, Any]] = [
    {"instance": "acme", "machine": "identity-center"},
    {"instance": "studio", "machine": "studio-application"},
    {
        "instance": "ds",
        "machine": "studio-domain",
        "state": "tip-enabled",
        "refs": {"center": "acme", "application": "studio"},
    },
    {"instance": "ana", "machine": "interactive-session", "refs": {"center": "acme"}},
    {
        "instance": "train",
        "machine": "job",
        "fields": {"kind": "training", "max-runtime": "28d"},
        "refs": {"domain": "ds", "session": "ana"},
    },
]
EVENTS = {"Content-Type": "application/cloudevents+json"}
BATCH = {"Content-Type": "application/cloudevents-batch+json"}
GALLERY = Path(__file__).parents[2] / "diagrams"


@attrs.frozen(eq=False)
class Service:
    """The service, somebody who talks to it, and its clock."""

    client: TestClient
    deck: Deck
    clock: Clock

    def settle(self) -> None:
        """Acme has background sessions, Ana is signed in, her job waits."""
        assert self.client.post("/v1/instances", json={"instances": PEOPLE}).status_code == 201

    def say(self, subject: str, event: str, id_: str, **more: object) -> dict[str, object]:
        """Say an event; the receipt."""
        answer = self.client.post("/v1/events", json=envelope(subject, event, id_, **more), headers=EVENTS)
        assert answer.status_code == 200, answer.text
        found: dict[str, object] = answer.json()
        return found


def envelope(subject: str, event: str, id_: str, **more: object) -> dict[str, object]:
    """A CloudEvent."""
    return {"specversion": "1.0", "source": "tests", "id": id_, "type": event, "subject": subject, **more}


def serving(
    plan: Plan, *, tokens: Tokens | None = None, limits: Limits = UNHURRIED, url: str = "sqlite://"
) -> Iterator[Service]:
    """A service while the test lasts."""
    clock = Clock()
    deck = open_deck(
        url, plan, stories=scenarios(plan.name), tokens=tokens or Tokens(), limits=limits, clock=clock, gallery=GALLERY
    )
    with TestClient(create_app(deck, conformance=True), base_url="http://localhost") as client:
        yield Service(client, deck, clock)


@pytest.fixture
def service(request: pytest.FixtureRequest, sagemaker: Plan) -> Iterator[Service]:
    """Without tokens, empty; in memory, unless the test is for both databases."""
    on_server = getattr(request, "param", "sqlite") == "postgres"
    yield from serving(sagemaker, url=request.getfixturevalue("postgres") if on_server else "sqlite://")


@pytest.fixture
def secured(sagemaker: Plan) -> Iterator[Service]:
    """With tokens, empty."""
    yield from serving(sagemaker, tokens=KNOWN)


@pytest.fixture(scope="session")
def sagemaker() -> Plan:
    """The system most tests tell of."""
    return load("sagemaker")
