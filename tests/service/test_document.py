"""The OpenAPI document against what is served: the same paths, and answers that are what it says."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import jsonschema
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from jsonschema import Draft202012Validator
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.applications import Starlette
from starlette.routing import Route

from outlast.catalog import bundled
from outlast.loading import load, scenarios
from outlast.plan import Plan
from outlast.service.app import create_app, open_deck
from outlast.service.openapi import document
from outlast.service.routes import Row, rows
from outlast.service.settings import USUAL
from tests.service.conftest import GALLERY, KNOWN, PEOPLE, TOKENS, UNHURRIED, Service

CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)
ADMIN = {"Authorization": f"Bearer {TOKENS['admin']}"}
STREAMS = ("/v1/decisions/stream", "/v1/effects/stream")
"""They do not end: see test_serving."""


def test_what_is_served_is_documented(service: Service) -> None:
    """Every route is in the document, and nothing else; every problem has a schema."""
    told = service.client.get("/openapi.json").json()
    app = service.client.app
    assert isinstance(app, Starlette)
    served = {
        (method, route.path) for route in app.routes if isinstance(route, Route) for method in (route.methods or ())
    }

    assert {(method.upper(), path) for path, item in told["paths"].items() for method in item} == {
        (method, path) for method, path in served if method != "HEAD"
    }
    assert len({item["operationId"] for path in told["paths"].values() for item in path.values()}) == len(rows())


@pytest.mark.parametrize("system", bundled())
def test_events_are_those_of_the_plan(system: str) -> None:
    """Each event of each machine has a schema, sound, with its payload; those from inside have none."""
    plan = load(system)
    schemas = json.loads(json.dumps(document(plan, rows(), USUAL, secured=True)))["components"]["schemas"]
    wanted = {
        f"event.{machine.name}.{event.name}": {*event.payload}
        for machine in plan.machines.values()
        for event in machine.events.values()
        if not event.internal
    }
    found = {
        name: {*schema["properties"]["data"]["properties"]}
        for name, schema in schemas.items()
        if name.startswith("event.")
    }

    assert wanted == found
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)


def test_bounds_stand_in_the_schema(sagemaker: Plan) -> None:
    """A duration outside its range is no instance of the schema."""
    whole = json.loads(json.dumps(document(sagemaker, rows(), USUAL, secured=False)))["components"]["schemas"]
    schema = whole["event.identity-center.set-background-duration"]["properties"]["data"]
    validator = Draft202012Validator(schema)
    minute = 60_000_000

    assert [validator.is_valid({"duration": value * minute}) for value in (14, 15, 129_600, 129_601)] == [
        False,
        True,
        True,
        False,
    ]
    with pytest.raises(jsonschema.ValidationError):
        validator.validate({})


@contextlib.asynccontextmanager
async def already(_: Starlette) -> AsyncIterator[None]:
    """Nothing to begin or to end: who asks does that around every question."""
    yield


@pytest.fixture(scope="module")
def api(sagemaker: Plan) -> Iterator[BaseSchema]:
    """The service as its document describes it, with people in it."""
    deck = open_deck(
        "sqlite://", sagemaker, stories=scenarios("sagemaker"), tokens=KNOWN, limits=UNHURRIED, gallery=GALLERY
    )
    app = create_app(deck, conformance=True)
    app.router.lifespan_context = already
    engine = deck.engine.engine
    engine.begin(
        {
            item["instance"]: (item["machine"], {**item.get("fields", {}), **item.get("refs", {})}, item.get("state"))
            for item in PEOPLE
        }
    )
    engine.send("train", "start", id="1")
    yield schemathesis.openapi.from_asgi("/openapi.json", app, headers=ADMIN)
    asyncio.run(deck.engine.close())


@pytest.mark.parametrize("mode", GenerationMode)
@pytest.mark.parametrize(
    "row", [row for row in rows() if row.path not in STREAMS], ids=lambda row: f"{row.method} {row.path}"
)
def test_answers_are_as_documented(api: BaseSchema, row: Row, mode: GenerationMode) -> None:
    """Whatever is asked, sense or nonsense: no server error, no status, type or form that the document does not name."""

    def ask(case: schemathesis.Case[Any]) -> None:
        case.call_and_validate(checks=[*CHECKS], headers=ADMIN)

    hurry = settings(
        max_examples=12, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=[*HealthCheck]
    )
    operation = api[row.path][row.method]
    if mode is GenerationMode.POSITIVE or row.asks or row.query or row.parameters:
        hurry(given(operation.as_strategy(generation_mode=mode))(ask))()
