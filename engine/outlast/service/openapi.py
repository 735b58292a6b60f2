"""The OpenAPI document (3.1), written from the table of routes and the plan."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import TypeAlias

from outlast.plan import Plan
from outlast.service import schemas
from outlast.service.problems import MEDIA
from outlast.service.routes import Row
from outlast.service.schemas import ref
from outlast.service.settings import Limits

Data: TypeAlias = dict[str, object]


def document(plan: Plan, rows: Iterable[Row], limits: Limits, *, secured: bool, version: str = "0") -> Data:
    """The document, as data. `secured`: tokens are asked for."""
    paths: dict[str, Data] = {}
    for row in rows:
        paths.setdefault(row.path, {})[row.method.lower()] = _operation(row, secured=secured)
    components: Data = {
        "schemas": {
            **schemas.ANSWERS,
            "Answer": {"anyOf": [ref("Receipt"), ref("Receipts")]},
            **schemas.said(plan, limits),
        },
        "responses": {
            "Problem": {"description": "What went wrong (RFC 9457).", "content": {MEDIA: {"schema": ref("Problem")}}}
        },
    }
    if secured:
        components["securitySchemes"] = {
            "token": {"type": "http", "scheme": "bearer"},
            "browser": {"type": "http", "scheme": "basic", "description": "any name, the token as password"},
        }
    return {
        "openapi": "3.1.0",
        "info": {"title": plan.title or plan.name, "version": version, "description": plan.about.strip()},
        "paths": paths,
        "components": components,
    }


def _operation(row: Row, *, secured: bool) -> Data:
    about = (row.endpoint.__doc__ or "").strip()
    made: Data = {
        "operationId": f"{row.method.lower()}{row.path.replace('/', '-').replace('{', '').replace('}', '').rstrip('-')}",
        "summary": about.removesuffix("."),
        "parameters": [
            *({"name": name, "in": "path", "required": True, "schema": schemas.WORD} for name in row.parameters),
            *({"name": name, "in": "query", "schema": schema} for name, schema in row.query.items()),
            *({"name": name, "in": "header", "schema": schema} for name, schema in row.headers.items()),
        ],
        "responses": {
            **{str(status): _answer(row, status) for status in row.status},
            **{str(status): _problem(row, status) for status in row.problems},
        },
    }
    if row.asks:
        made["requestBody"] = {
            "required": True,
            "content": {media: {"schema": ref(name)} for media, name in row.asks.items()},
        }
    if row.role and secured:
        made["description"] = f"Needs the role `{row.role}`."
        made["security"] = [{"token": []}, {"browser": []}]
    return made


def _answer(row: Row, status: int) -> Data:
    content = {media: {"schema": ref(name)} if name else {} for media, name in row.answers.items()}
    return {"description": HTTPStatus(status).phrase, "content": content}


def _problem(row: Row, status: int) -> Data:
    if row.path == "/health" and status == 503:
        failing = {"application/json": {"schema": ref("Health")}, MEDIA: {"schema": ref("Problem")}}
        return {"description": "The store does not answer, or timers cannot be fired.", "content": failing}
    return {"$ref": "#/components/responses/Problem"}
