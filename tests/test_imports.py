"""Importing the package stays light: what only some users need is loaded when it is used."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ["yaml", "click", "rich", "graphviz", "transitions"]


def test_import_outlast_is_light() -> None:
    """`import outlast` loads neither the YAML parser nor anything that draws, prints or embeds."""
    program = f"import sys, outlast; print(*[name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.split() == []
