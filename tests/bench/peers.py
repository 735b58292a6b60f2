"""The peers: installed into a folder of their own, where nothing but the benchmark looks for them."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
ROOT = Path(__file__).parents[2]


def folder() -> Path:
    """Where the peers of these requirements belong, for this Python."""
    key = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:12]
    return ROOT / ".venv" / f"bench-{sys.implementation.cache_tag}-{key}"


def install(*, patience: int = 120) -> str | None:
    """Make them importable, installing them where that has not been done. What went wrong in one line, or None."""
    where = folder()
    if not where.is_dir():
        where.parent.mkdir(exist_ok=True)
        beginning = where.with_name(f"{where.name}.{os.getpid()}")
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += ["--retries", "1", "--timeout", "15", "--target", str(beginning), "--requirement", str(REQUIREMENTS)]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=patience)
            beginning.rename(where)
        except subprocess.CalledProcessError as error:
            return f"the peers cannot be installed: {(error.stderr.strip().splitlines() or ['pip failed'])[-1]}"
        except subprocess.TimeoutExpired:
            return f"the peers cannot be installed within {patience} s"
    sys.path.append(str(where))
    return None
