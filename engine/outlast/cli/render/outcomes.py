"""All that a check knows of one system, and the words that every report shares."""

from __future__ import annotations

from pathlib import Path

import attrs

from outlast.loading import Checked
from outlast.moments import format_duration
from outlast.proofs.timed.verdicts import Happening, Verdict


@attrs.frozen(eq=False)
class Outcome:
    """A system as it was asked for, what was found in it, and what is known of its properties."""

    asked: str
    found: Checked
    verdicts: tuple[Verdict, ...] = ()
    remark: str | None = None
    """What the look at its guards left open."""
    unanswered: int = 0
    """How many questions about guards that is."""

    @property
    def name(self) -> str:
        """What the system is called; what was typed, if it cannot be known."""
        return self.found.plan.name if self.found.plan else self.asked

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong with it and every property is proved."""
        return not self.found.errors and all(verdict.ok for verdict in self.verdicts)


def told(item: Happening) -> str:
    """One step of a trace in a line: `8h job train expire: running → grace-period`."""
    changes = "; ".join(
        f"{change.instance}: {change.before or 'made'} → {change.after or 'gone'}" for change in item.changes
    )
    words = f"{format_duration(item.at)} {item.machine} {item.instance} {item.name}"
    if item.refusal:
        words += f" (refused: {item.refusal})"
    return f"{words}: {changes}" if changes else words


def relative(file: str) -> Path:
    """A path that is short from here, and the same in any checkout, if the file is below."""
    path = Path(file)
    return path.relative_to(Path.cwd()) if path.is_absolute() and path.is_relative_to(Path.cwd()) else path
