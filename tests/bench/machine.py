"""The machine every contender runs: `specs/job.yaml` as plain rows, and the loop of events it is sent."""

from __future__ import annotations

from pathlib import Path

SPECS = Path(__file__).with_name("specs")
STATES = ("queued", "interactive", "background", "grace", "resumable", "completed", "failed", "expired")
FINAL = ("completed", "failed", "expired")
ROWS = (  # from, event, to; `reattach` is guarded by `enabled and count < limit`, and counts
    ("queued", "start", "interactive"),
    ("interactive", "detach", "background"),
    ("background", "disconnect", "grace"),
    ("grace", "reattach", "interactive"),
    ("interactive", "checkpoint", "resumable"),
    ("resumable", "requeue", "queued"),
    ("interactive", "finish", "completed"),
    ("background", "finish", "completed"),
    ("interactive", "fail", "failed"),
    ("background", "fail", "failed"),
    ("grace", "timeout", "expired"),
)
LOOP = ("start", "detach", "disconnect", "reattach", "checkpoint", "requeue")
LIMIT = 1_000_000_000
