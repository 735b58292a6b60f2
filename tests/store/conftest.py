"""Stores to test: a file, and a schema of a PostgreSQL server started for the session."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from outlast.loading import load
from outlast.plan import Plan
from tests.store.server import binaries, running

BACKENDS = ("sqlite", "postgres")


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The URL of a server's database."""
    missing = [name for name, there in (("postgres", binaries()), ("psycopg", find_spec("psycopg"))) if not there]
    if missing:
        verdict = pytest.fail if os.environ.get("OUTLAST_TOOLS_REQUIRED") else pytest.skip
        verdict(f"not installed: {', '.join(missing)}")
    with running(fsync=False) as server:
        yield server.url


@pytest.fixture(params=BACKENDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a store of the test's own can be, on both backends."""
    return fresh(request, tmp_path)


def fresh(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a store that is not there yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/store.db"
    return f"{request.getfixturevalue('server')}&schema=s{uuid.uuid4().hex}"


@pytest.fixture
def postgres(server: str) -> str:
    """Where a store of the test's own can be, on the server."""
    return f"{server}&schema=s{uuid.uuid4().hex}"


@pytest.fixture(scope="session")
def sagemaker() -> Plan:
    """The system most tests tell of."""
    return load("sagemaker")
