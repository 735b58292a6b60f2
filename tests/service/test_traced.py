"""Spans and lines of the log: one for each decision, children under what caused them, and none unless somebody asked."""

from __future__ import annotations

import json
import logging
import sys

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from outlast.errors import MissingExtra
from outlast.moments import HOUR
from outlast.service.traced import Traced
from outlast.service.watched import WatchedBackend, traced
from outlast.store.engine import Engine
from outlast.store.opening import open_backend
from tests.store.people import START, Clock
from tests.store.traffic import traffic


def test_a_turn_is_a_span(caplog: pytest.LogCaptureFixture) -> None:
    """What an event caused elsewhere is under it; names have no ids in them; the log says the same as data."""
    caplog.set_level(logging.INFO, "outlast.decisions")
    exporter, provider, clock = InMemorySpanExporter(), TracerProvider(), Clock(START)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    backend = WatchedBackend(open_backend("sqlite://"), Traced(provider, clock=lambda: clock() * 1_000))
    with Engine(backend, traffic(), clock=clock) as engine:
        engine.create("lamp", "l")
        engine.create("car", "c", lamp="l")
        engine.send("c", "drive", id="d1", source="test")
        clock.now += HOUR // 6
        engine.run_timers()
        spans = exporter.get_finished_spans()
        told = [json.loads(record.message) for record in caplog.records]

        decisions = engine.decisions()
        assert len(spans) == len(decisions)
        assert {str((span.attributes or {})["outlast.instance"]) for span in spans} == {"l", "c", "c.trip"}
        by_name = {span.name: span for span in spans}
        assert {"lamp start", "car start", "car drive", "lamp go"} <= {*by_name}
        watched = next(span for span in spans if span.name == "car lamp.green")
        assert watched.parent
        assert watched.parent.span_id == by_name["lamp go"].context.span_id
        assert by_name["car drive"].attributes
        assert by_name["car drive"].attributes["outlast.id"] == "d1"
        assert by_name["car drive"].end_time == START * 1_000
        assert [row["outlast.turn"] for row in told] == [decision.turn for decision in decisions]


def test_outside_a_provider_nothing_happens() -> None:
    """Without an SDK spans cost next to nothing and go nowhere."""
    with Engine(traced(open_backend("sqlite://")), traffic()) as engine:
        assert engine.create("lamp", "l").accepted


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line says what to install."""
    monkeypatch.delitem(sys.modules, "outlast.service.traced", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(MissingExtra, match=r"pip install 'outlast\[telemetry\]'"):
        traced(open_backend("sqlite://"))
