"""The systems that come with the package: found in a wheel, an editable install or a checkout."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path


def specs() -> Path:
    """The folder of bundled systems."""
    installed = Path(str(files("outlast"))) / "specs"
    return installed if installed.is_dir() else Path(__file__).resolve().parents[2] / "specs"


def templates() -> Path:
    """The folder of files a new system starts from."""
    return Path(str(files("outlast"))) / "templates"


def bundled() -> dict[str, Path]:
    """Name -> folder of every bundled system, by name."""
    return {path.parent.name: path.parent for path in sorted(specs().glob("*/system.yaml"))}
