"""What pyproject.toml promises: one version, extras with a reason, and an `all` that is all of them."""

from __future__ import annotations

import importlib.metadata
import re
import tomllib
from importlib.resources import files
from pathlib import Path

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "pyproject.toml").read_text("utf-8")
PROJECT = tomllib.loads(TEXT)["project"]
EXTRAS = PROJECT["optional-dependencies"]


def test_versions_agree() -> None:
    """The installed version is the declared one, and the change log knows it or is about to."""
    changes = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)

    assert importlib.metadata.version("outlast") == PROJECT["version"]
    assert {"Unreleased", PROJECT["version"]} & set(changes[:1])


def test_every_extra_has_a_reason() -> None:
    """Each extra says in a comment on its own line what it is for."""
    table = TEXT.split("[project.optional-dependencies]")[1].split("\n[")[0]

    assert re.findall(r"^([\w-]+) = .*?#", table, re.MULTILINE) == list(EXTRAS)


def test_all_is_every_extra() -> None:
    """`outlast[all]` brings everything but the tools of development."""
    named = {extra for item in EXTRAS["all"] for extra in item.removeprefix("outlast[").removesuffix("]").split(",")}

    assert named == EXTRAS.keys() - {"all", "dev"}


def test_types_and_specs_are_shipped() -> None:
    """Type checkers and readers of the bundled systems find what they need in the installed package."""
    package = files("outlast")

    assert (package / "py.typed").is_file()
    assert (package / "specs").is_dir() or (ROOT / "specs").is_dir()
