"""The order of everything, on small machines: see `tests.run.cases`."""

from __future__ import annotations

import sys

import pytest

from outlast.run.fast import places
from tests.run.cases import CASES


@pytest.mark.parametrize("patience", [0, sys.maxsize], ids=["compiled", "interpreted"])
@pytest.mark.parametrize("name", CASES)
def test_order(name: str, patience: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The case holds, whoever takes the steps."""
    monkeypatch.setattr(places, "PATIENCE", patience)
    CASES[name]()
