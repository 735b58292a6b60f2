"""django-fsm-2: a field of a Django model, and a method for each event. No database is involved."""

from __future__ import annotations

from typing import Any

import django
from django.conf import settings

settings.configure(INSTALLED_APPS=[], DATABASES={}, USE_TZ=True)
django.setup()

from django.db import models  # noqa: E402  # Django wants its settings first
from django_fsm import FSMField, transition  # noqa: E402

from tests.bench.contender import Contender, one_by_one  # noqa: E402
from tests.bench.machine import LIMIT, ROWS  # noqa: E402


def _may(job: Any) -> bool:
    return bool(job.enabled and job.count < job.limit)


def _add(job: Any) -> None:
    job.count += 1


def _nothing(_: Any) -> None:
    """An event that only changes the state."""


def _declare() -> type:
    state = FSMField(default="queued", protected=True)
    body: dict[str, Any] = {
        "__module__": __name__,
        "Meta": type("Meta", (), {"app_label": "bench"}),
        "state": state,
        "enabled": models.BooleanField(default=True),
        "limit": models.BigIntegerField(default=LIMIT),
        "count": models.BigIntegerField(default=0),
    }
    for event in dict.fromkeys(event for _, event, _ in ROWS):
        sources = [source for source, name, _ in ROWS if name == event]
        target = next(target for _, name, target in ROWS if name == event)
        guarded = event == "reattach"

        def method(job: Any, *, do: Any = _add if guarded else _nothing) -> None:
            do(job)

        method.__name__ = event
        body[event] = transition(field=state, source=sources, target=target, conditions=[_may] if guarded else [])(
            method
        )
    return type("Job", (models.Model,), body)


_Job = _declare()

CONTENDERS = [
    Contender(
        name="django-fsm-2",
        role="peer",
        new=_Job,
        run=one_by_one(lambda job: lambda event: getattr(job, event)()),
        state=lambda job: str(job.state),
        count=lambda job: int(job.count),
        distribution="django-fsm-2",
        program="import django_fsm",
    )
]
