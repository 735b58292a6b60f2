"""The systems that come with the package: found in a wheel, an editable install or a checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def specs() -> Path:
    """The folder of bundled systems."""
    installed = _PACKAGE / "specs"
    return installed if installed.is_dir() else _PACKAGE.parents[1] / "specs"


def templates() -> Path:
    """The folder of files a new system starts from."""
    return _PACKAGE / "templates"


def bundled() -> dict[str, Path]:
    """Name -> folder of every bundled system, by name."""
    return {path.parent.name: path.parent for path in sorted(specs().glob("*/system.yaml"))}
