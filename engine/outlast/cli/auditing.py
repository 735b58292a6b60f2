"""`outlast audit`: a log of what really happened against what the document allows."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

import click
from rich.console import Console
from rich.progress import Progress

from outlast import loading
from outlast.cli import finding
from outlast.cli.app import PROBLEMS
from outlast.cli.render import audited
from outlast.cli.terminal import show
from outlast.errors import MisuseError, listed
from outlast.proofs.audit.auditing import Audit, Report
from outlast.proofs.audit.findings import Finding, Totals, finding_to_json, line_to_json, totals_to_json
from outlast.proofs.audit.mapping import load_mapping


@click.command()
@click.argument("system", shell_complete=finding.complete_system)
@click.argument("log", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option(
    "--mapping",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="What the lines of the log say; otherwise the file in the system's audit/ folder.",
)
@finding.readings_option
@click.option(
    "--format", "form", type=click.Choice(["text", "jsonl"]), default="text", help="text (the default) or jsonl."
)
@click.option("--json", "form", flag_value="jsonl", help="As --format jsonl.")
def audit_command(system: str, log: str, mapping: Path | None, readings: tuple[str, ...], form: str) -> None:
    """Hold a log against what the document allows.

    LOG has a CloudEvent or an EventBridge event as JSON on each line; it may be compressed with gzip; - is standard input. Exit code 1:
    something happened that the document does not allow, or a line could not be used.
    """
    plan = loading.load(system, finding.chosen_readings(readings))
    chosen = load_mapping(plan, mapping or _beside(system))
    with (
        click.open_file(log, "rb") as stream,
        Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar,
    ):
        raw = cast(BinaryIO, stream)
        task = bar.add_task("audit", total=_size(raw))
        audit = Audit(plan, chosen, raw, progress=lambda size: bar.advance(task, size))
        for report in _aside(bar, iter(audit)):
            if form == "jsonl":
                data = finding_to_json(report) if isinstance(report, Finding) else line_to_json(report)
                click.echo(json.dumps(data))
            else:
                show(*audited.report(plan, report))
    if form == "jsonl":
        click.echo(json.dumps(totals_to_json(audit.totals)))
    else:
        show(*audited.summary(audit.totals))
    if _is_wrong(audit.totals):
        click.get_current_context().exit(PROBLEMS)


def _is_wrong(totals: Totals) -> bool:
    return bool(totals.violations or totals.unreadable or totals.late)


def _aside(bar: Progress, reports: Iterator[Report]) -> Iterator[Report]:
    """The reports, the bar taken away while one is printed."""
    for report in reports:
        bar.stop()
        yield report
        bar.start()


def _size(stream: BinaryIO) -> int | None:
    """The bytes of a file; None for a pipe."""
    try:
        return os.fstat(stream.fileno()).st_size or None
    except (OSError, ValueError):
        return None


def _beside(system: str) -> Path:
    """The mapping in a system's folder `audit`. Raises MisuseError."""
    home = loading.find(system)
    files = sorted(((home if home.is_dir() else home.parent) / "audit").glob("*.yaml"))
    if len(files) == 1:
        return files[0]
    if files:
        raise MisuseError(f"`{system}` has several mappings: say which with --mapping: {listed(map(str, files))}")
    raise MisuseError(f"`{system}` has no audit/*.yaml: say with --mapping what the lines of the log mean")
