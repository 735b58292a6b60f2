"""Small logs, line by line: the bundled system and mapping, and short ways to write what is told."""

from __future__ import annotations

import io
import json
from functools import cache
from typing import Any

import outlast
from outlast import catalog
from outlast.moments import format_instant, parse_duration, parse_instant
from outlast.plan import Plan
from outlast.proofs.audit.auditing import Audit, Report
from outlast.proofs.audit.findings import Finding, Late, Totals
from outlast.proofs.audit.mapping import Mapping, load_mapping

BEGIN = parse_instant("2026-03-02T08:00:00Z")
SAGEMAKER = catalog.bundled()["sagemaker"] / "audit"


@cache
def plan(**readings: str) -> Plan:
    """The bundled system, under readings written with underscores."""
    return outlast.load("sagemaker", {name.replace("_", "-"): reading for name, reading in readings.items()})


@cache
def mapping() -> Mapping:
    """The bundled mapping."""
    return load_mapping(plan(), SAGEMAKER / "observations.yaml")


def cloud(at: str, type_: str, **data: object) -> dict[str, Any]:
    """A CloudEvent, `at` counted from the beginning."""
    time = format_instant(BEGIN + parse_duration(at))
    name = f"{at} {type_} {data}"
    return {"specversion": "1.0", "id": name, "source": "//idc", "type": type_, "time": time, "data": data}


def job(at: str, name: str = "train", *, user: str = "ana", kind: str = "training", **more: object) -> dict[str, Any]:
    """A job is submitted."""
    return cloud(at, "job.submitted", job=name, kind=kind, domain="ds", user=user, **more)


def status(at: str, status: str, secondary: str = "", name: str = "train") -> dict[str, Any]:
    """An event of EventBridge about a training job."""
    detail = {"TrainingJobName": name, "TrainingJobStatus": status, "SecondaryStatus": secondary or status}
    time = format_instant(BEGIN + parse_duration(at))
    head = {"id": f"{at} {name} {status} {secondary}", "detail-type": "SageMaker Training Job State Change"}
    return {**head, "source": "aws.sagemaker", "time": time, "detail": detail}


def training(at: str, name: str = "train") -> dict[str, Any]:
    """The job is seen at work."""
    return status(at, "InProgress", "Training", name)


def as_bytes(lines: list[dict[str, Any] | bytes]) -> bytes:
    """The log."""
    return b"".join((line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in lines)


def audited(
    lines: list[dict[str, Any] | bytes], *, by: Mapping | None = None, under: Plan | None = None
) -> tuple[list[Report], Totals]:
    """What an audit of these lines reports."""
    audit = Audit(under or plan(), by or mapping(), io.BytesIO(as_bytes(lines)))
    return list(audit), audit.totals


def shown(report: Report) -> str:
    """A report in one line: `late 7 train`, `unreadable 3`."""
    if isinstance(report, Finding):
        mark = "?" if report.contested else ""
        return f"{report.kind}{mark} {report.line or '-'} {report.instance}"
    return f"too-late {report.line}" if isinstance(report, Late) else f"unreadable {report.line}"
