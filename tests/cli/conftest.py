"""The command line as a test calls it: `outlast("run", "one-cup")`, at 100 columns and without colour."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from outlast.cli import main

Outlast = Callable[..., Result]


@pytest.fixture(scope="session")
def outlast() -> Outlast:
    """Call the command line; an exception that is not turned into words fails the test."""

    def call(*words: str, columns: int = 100) -> Result:
        environment = {"COLUMNS": str(columns), "NO_COLOR": "1"}
        return CliRunner().invoke(main, words, env=environment, catch_exceptions=False)

    return call
