"""The way a story took through a machine, as marks on its picture: the numbers of its steps."""

from __future__ import annotations

from outlast.errors import UnknownName
from outlast.run import Run
from outlast.views.svg import Mark, Marks


def path_marks(run: Run, instance: str) -> Marks:
    """Marks for what one instance of a story did, numbered from 1. Raises UnknownName."""
    steps = [moment.step for moment in run.moments if moment.step.instance == instance]
    if not steps:
        raise UnknownName("instance", instance, dict.fromkeys(moment.step.instance for moment in run.moments))
    rows: dict[str, list[str]] = {}
    boxes: dict[str, Mark] = {}
    number = 0
    for step in steps:
        boxes |= dict.fromkeys(step.after.configuration, Mark("hot"))
        if step.taken:
            number += 1
        for row in step.taken:
            rows.setdefault(row, []).append(str(number))
    marked = {row: Mark("hot", " · ".join(numbers)) for row, numbers in rows.items()}
    words = f"what {instance} did in this story, numbered"
    return Marks(marked, boxes, Mark("cold"), (("hot", words),))
