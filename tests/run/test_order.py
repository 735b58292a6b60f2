"""The order of everything, on small machines: see `tests.run.cases`."""

from __future__ import annotations

import pytest

from tests.run.cases import CASES


@pytest.mark.parametrize("name", CASES)
def test_order(name: str) -> None:
    """The case holds."""
    CASES[name]()
