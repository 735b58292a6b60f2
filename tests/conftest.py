"""What every test may ask for: a program (`needs`) and the material kept beside the checkout (`shared`)."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("unhurried", deadline=None)
if (
    "CI" not in os.environ
):  # there Hypothesis has a profile of its own: no deadline either, and the same examples every time
    settings.load_profile("unhurried")

ROOT = Path(__file__).parents[1]


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test marked `needs("dot")` where there is no `dot`; where tools are required, as in CI, fail it."""
    programs = [str(program) for mark in item.iter_markers("needs") for program in mark.args]
    if missing := [program for program in programs if shutil.which(program) is None]:
        verdict = pytest.fail if os.environ.get("OUTLAST_TOOLS_REQUIRED") else pytest.skip
        verdict(f"not installed: {', '.join(missing)}")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder `shared` beside the checkout, for large material that is no part of the repository; not everybody has it."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("no folder `shared` beside the checkout")
    return folder
