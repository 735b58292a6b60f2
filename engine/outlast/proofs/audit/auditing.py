"""All of an audit, in one pass over the log and with bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO, TypeAlias

from outlast.plan import Plan
from outlast.proofs.audit.auditor import Auditor
from outlast.proofs.audit.decoding import Decoder, Happening
from outlast.proofs.audit.envelopes import Unusable, opened
from outlast.proofs.audit.findings import Finding, Late, Totals
from outlast.proofs.audit.lines import Counting, Unreadable, numbered
from outlast.proofs.audit.mapping import Mapping
from outlast.proofs.audit.window import Seen, Sequences, Window

Report: TypeAlias = Finding | Late | Unreadable


class Audit:
    """Reads a log once: iterate to get what there is to report, as it is found; `totals` grow meanwhile."""

    def __init__(
        self, plan: Plan, mapping: Mapping, log: BinaryIO, *, progress: Callable[[int], None] = lambda _: None
    ) -> None:
        """`progress` is told how many bytes of the log were read, each time."""
        self.stream = Counting(log, progress)
        self.plan, self.mapping = plan, mapping
        self.decoder, self.window = Decoder(mapping), Window(mapping.reorder)
        self.seen, self.sequences = Seen(mapping.remember), Sequences()
        self.auditor: Auditor | None = None
        self.totals = Totals()

    def __iter__(self) -> Iterator[Report]:
        for item in numbered(self.stream):
            reports = [item] if isinstance(item, Unreadable) else self._line(*item)
            for report in reports:
                yield self._counted(report)
        for turn in self.window.rest():
            for report in self._judged(turn):
                yield self._counted(report)
        if self.auditor is not None:
            yield from self.auditor.finish()
        self.totals.disordered = self.window.disordered
        self.totals.lost = self.sequences.finish()

    def _counted(self, report: Report) -> Report:
        self.totals.unreadable += isinstance(report, Unreadable)
        self.totals.late += isinstance(report, Late)
        return report

    def _line(self, number: int, text: bytes) -> Iterator[Report]:
        self.totals.lines = number
        try:
            envelope = opened(number, text)
            newest = self.window.newest
            at = newest if newest is not None else envelope.time or 0
            if self.seen.again(envelope.source, envelope.id, at):
                self.totals.duplicates += 1
                return
            if envelope.sequence is not None:
                self.sequences.take(envelope.source, envelope.sequence)
            happening = self.decoder.happening(envelope)
        except Unusable as problem:
            yield Unreadable(number, str(problem))
            return
        if happening is None:
            self.totals.ignored += 1
        elif self.window.is_late(happening):
            tracked = self.auditor.roll.tracked.get(happening.instance) if self.auditor else None
            if tracked is not None:
                tracked.missed.append(number)
            yield Late(number, happening.at, happening.instance)
        else:
            for turn in self.window.take(happening):
                yield from self._judged(turn)

    def _judged(self, turn: Happening | Unreadable) -> Iterator[Report]:
        if isinstance(turn, Unreadable):
            yield turn
            return
        if self.auditor is None:
            self.auditor = Auditor(self.plan, self.mapping, turn.at)
            self.auditor.totals = self.totals
            self.totals.first = turn.at
        self.totals.last = turn.at
        yield from self.auditor.take(turn)
