"""Whether a store is what it was: every hash, every chain, everything derived from the journal, and the journal told again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

import attrs

from outlast.errors import StoreError
from outlast.plan import Plan
from outlast.store.interface import Backend, Reading
from outlast.store.journal import START, compact, digest_of, sealed
from outlast.store.records import Decision, OutgoingEffect, Stored
from outlast.store.replaying import Replay
from outlast.store.versions import Versions
from outlast.values import frozen

CHUNK = 1_000


@frozen
class Finding:
    """Something that is not as it was written: where, and what."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


@frozen
class Verified:
    """What was looked at and what was found. `head` names the last decision: keep it, and `holds` can tell later whether it is still there."""

    decisions: int
    instances: int
    effects: int
    head: str | None
    replayed: bool
    """Whether decisions were made again, to be held against those stored."""
    passed: int
    """How many of them could not be: the store has no text of the version they were made under."""
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


def head_of(decision: Decision | None) -> str | None:
    """A decision by number and hash, as one word."""
    return f"{decision.seq}-{decision.hash}" if decision else None


def verify(
    backend: Backend, known: Mapping[str, Plan] | None = None, *, holds: Iterable[str] = (), most: int = 1_000
) -> Verified:
    """Look at everything; if nothing was found, decide everything anew, each under its own version. At most `most` findings.

    `known`: plans by hash, for versions whose text the store lacks. `holds`: heads known from before, which must still be there.
    """
    examination = _Examination(known=dict(known or {}))
    findings: list[Finding] = []
    replayed, passed = False, 0
    try:
        with backend.reading() as reading:
            examination.reading = reading
            findings += islice(examination.everything(backend, holds), most)
            if not findings:
                replay = Replay(Versions(reading, examination.known))
                findings += examination.replay(replay)
                passed = replay.passed
                replayed = passed < examination.count or not passed
    except (StoreError, ValueError, TypeError) as error:  # what is damaged may be of any shape
        findings.append(Finding("database", str(error)))
    return Verified(
        examination.count,
        len(examination.heads),
        examination.sent,
        head_of(examination.last),
        replayed,
        passed,
        tuple(findings),
    )


@attrs.define(eq=False)
class _Examination:
    known: dict[str, Plan]
    reading: Reading = attrs.field(init=False)
    count: int = 0
    sent: int = 0
    last: Decision | None = None
    heads: dict[str, tuple[int, str, bytes, str]] = attrs.field(factory=dict)
    """Id -> version, hash and digest of the snapshot of its last decision, and its cause."""
    effects: dict[tuple[int, int], bytes] = attrs.field(factory=dict)
    specs: set[int] = attrs.field(factory=set)
    """The numbers of the specifications that decisions were made under."""

    def everything(self, backend: Backend, holds: Iterable[str]) -> Iterator[Finding]:
        """What can be found without deciding anything."""
        yield from (Finding("file", text) for text in backend.check())
        yield from self.journal()
        yield from self.specifications()
        yield from (item for head in holds for item in self.still_there(head))
        yield from self.instances()
        yield from self.outbox()

    def decisions(self) -> Iterator[Decision]:
        """The journal from the beginning."""
        after = -1
        while chunk := self.reading.decisions(after, CHUNK):
            for decision in chunk:
                yield decision
                if isinstance(decision.seq, int):
                    after = decision.seq

    def journal(self) -> Iterator[Finding]:
        """Rows that are damaged, or whose predecessor is missing."""
        for decision in self.decisions():
            self.count, self.last = self.count + 1, decision
            self.specs.add(decision.spec)
            where = f"decision {decision.seq} ({decision.instance} version {decision.version})"
            version, hash_, *_ = self.heads.get(decision.instance, (0, START, b"", ""))
            if sealed(decision) != decision.hash:
                yield Finding(where, "its hash does not fit: something in it was changed")
                self.heads[decision.instance] = (
                    decision.version,
                    decision.hash,
                    _digest(decision.snapshot),
                    decision.cause,
                )
                continue
            if decision.version != version + 1:
                yield Finding(where, f"the decisions between version {version} and this one are missing")
            elif decision.previous != hash_:
                yield Finding(where, "it follows another decision than the one before it")
            self.heads[decision.instance] = (
                decision.version,
                decision.hash,
                _digest(decision.snapshot),
                decision.cause,
            )
            for effect in decision.effects:
                self.effects[effect.seq, effect.place] = _content(effect)

    def specifications(self) -> Iterator[Finding]:
        """Specifications that are missing, or are not what decisions were made under."""
        versions = Versions(self.reading, self.known)
        yield from (Finding(f"specification {number}", "it is missing") for number in self.specs - {*versions.rows})
        for number, row in versions.rows.items():
            if row["digest"] != digest_of(row):
                yield Finding(f"specification {number}", "its digest does not fit: something in it was changed")
                continue
            try:
                versions.wording(row["hash"])
            except StoreError as error:
                yield Finding(f"specification {number}", str(error))

    def still_there(self, head: str) -> Iterator[Finding]:
        """Whether a decision known from before is still there."""
        seq, _, hash_ = head.partition("-")
        near = self.reading.decisions(int(seq) - 1, 1) if seq.isdecimal() else []
        if not near or (str(near[0].seq), near[0].hash) != (seq, hash_):
            yield Finding(f"decision {seq}", "it was there once: the end of the journal, or this decision, is lost")

    def instances(self) -> Iterator[Finding]:
        """Instances that are not what their last decision says."""
        waiting, after = dict(self.heads), ""
        earliest: dict[str, int | None] = {}
        while chunk := self.reading.everybody(after, CHUNK):
            for row in chunk:
                after = row.id
                yield from self._instance(row, waiting.pop(row.id, None))
                soonest = [due for due in (earliest.get(row.group), row.due) if due is not None]
                earliest[row.group] = min(soonest, default=None)
        yield from (Finding(f"instance {id_}", "it is missing") for id_ in waiting)
        groups = self.reading.groups(list(earliest))
        for id_, due in earliest.items():
            if id_ not in groups:
                yield Finding(f"group {id_ or 'commons'}", "it is missing")
            elif groups[id_].due != due:
                yield Finding(f"group {id_ or 'commons'}", "its next deadline is not the one of its instances")

    def _instance(self, row: Stored, head: tuple[int, str, bytes, str] | None) -> Iterator[Finding]:
        where = f"instance {row.id}"
        if head is None:
            yield Finding(where, "the journal does not know it")
            return
        version, hash_, snapshot, cause = head
        if (row.version, row.hash) != (version, hash_):
            yield Finding(where, f"it is at version {row.version}, its journal ends with {version}: decisions are lost")
        elif row.snapshot is None:
            if cause != "stop":
                yield Finding(where, "it is gone, and nothing stopped it")
        elif _digest(row.snapshot) != snapshot:
            yield Finding(where, "it is not what its last decision left")
        elif _due(row.snapshot) != row.due:
            yield Finding(where, "its next deadline is not the one of its timers")

    def outbox(self) -> Iterator[Finding]:
        """Effects that were lost, changed or invented."""
        waiting, after = dict(self.effects), (-1, -1)
        while chunk := self.reading.effects(after, CHUNK, None):
            for effect, _ in chunk:
                after, self.sent = (effect.seq, effect.place), self.sent + 1
                if waiting.pop(after, None) != _content(effect):
                    yield Finding(f"effect {effect.id}", "the journal knows no such effect")
        yield from (Finding(f"effect {seq}-{place}", "it is missing from the outbox") for seq, place in waiting)

    def replay(self, replay: Replay) -> Iterator[Finding]:
        """Turns that come out otherwise when they are decided again."""
        for stored, again in replay.follow(self.decisions()):
            if [row.hash for row in stored] != [row.hash for row in again]:
                where = f"turn {stored[0].turn} ({stored[0].instance} version {stored[0].version})"
                yield Finding(where, f"decided again it comes out otherwise: {_difference(stored, again)}")
                return  # what follows would only follow from this


def _difference(stored: list[Decision], again: list[Decision]) -> str:
    if len(stored) != len(again):
        return f"{len(again)} decisions in place of {len(stored)}"
    one, other = next((a, b) for a, b in zip(stored, again, strict=True) if a.hash != b.hash)
    for name in ("instance", "version", "at", "cause", "body", "snapshot"):
        if getattr(one, name) != getattr(other, name):
            return f"`{name}` of decision {one.seq}"
    return f"decision {one.seq}"


def _digest(text: str) -> bytes:
    return hashlib.blake2b(str(text).encode(errors="surrogatepass"), digest_size=16).digest()


def _content(effect: OutgoingEffect) -> bytes:
    return _digest(compact((effect.instance, effect.name, effect.payload, effect.at)))


def _due(snapshot: str) -> int | None:
    data: Mapping[str, list[dict[str, int]]] = json.loads(snapshot)
    return min((item["due"] for name in ("timers", "delayed") for item in data.get(name, ())), default=None)
