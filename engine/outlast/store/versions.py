"""The specifications a store was written under: their texts, and the plans made of them.

A specification is kept once under its hash, whatever the readings and terms it was used with. The hash is taken from what the text says, so a
text that was changed is no longer found under it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, MutableMapping
from functools import lru_cache

import attrs

from outlast.errors import MisuseError, SpecError, StoreError, UnknownName
from outlast.language.files import read_stream
from outlast.language.values import read_values, write_values
from outlast.language.writer import write_stream
from outlast.loading import load_text
from outlast.plan import Plan, compile_system, under
from outlast.plan.fingerprint import fingerprint
from outlast.run import Terms
from outlast.store.interface import Reading, Transaction
from outlast.store.journal import specification

SHORT = 12
"""So many characters of a hash name it where people read it."""
Known = MutableMapping[str, Plan]
"""Hash -> plan, as far as they are at hand."""


@attrs.frozen
class Version:
    """A specification as a store has used it. `number` is that in `Decision.spec`; `since` the instant of the first decision under it."""

    number: int
    system: str
    hash: str
    readings: Mapping[str, str]
    terms: Mapping[str, object]
    present: bool
    """Whether it is what the store is under now."""
    kept: bool
    """Whether its text is in the store."""
    since: int | None
    decisions: int
    instances: int
    """How many have decisions under it; of the present one, how many there are."""


def text_of(plan: Plan) -> str:
    """The text to be kept of a plan: as an author would write it, or, if a program has made what no author can write, its values."""
    text = plan.kept.get("text")
    if not isinstance(text, str):
        text = plan.kept["text"] = _stream(plan) or write_values(plan.source)
    return text


def _stream(plan: Plan) -> str | None:
    """The text of a plan in the language; None where it would not say the same."""
    try:
        text = write_stream(plan.source)
    except MisuseError:
        return None
    read = read_stream(text, "text")
    sound = read.system is not None and not read.problems and fingerprint(read.system) == plan.hash
    return text if sound else None


@lru_cache(maxsize=32)
def _of_values(text: str, hash_: str) -> Plan:
    """The plan of a system kept by its values. Raises ValueError where they are not those of that hash: what is compiled is what once was."""
    system = read_values(text)
    if fingerprint(system) != hash_:
        raise ValueError(f"it is that of {fingerprint(system)[:SHORT]}")
    plan, _ = compile_system(system)
    return plan


class Versions:
    """The specifications of a store, as one reading of it sees them."""

    def __init__(self, reading: Reading, known: Known | None = None) -> None:
        """`known`: plans by hash that need not be read from the store. Those that are read are added to it."""
        self.reading, self.known = reading, known if known is not None else {}
        self.rows = {int(row["number"]): row for row in reading.specifications()}

    @property
    def present(self) -> int | None:
        """The number of the specification the store is under; None for an empty store."""
        return next(reversed(self.rows), None)

    def current(self, url: str) -> Plan:
        """The plan the store is under, readings and all. Raises StoreError."""
        if self.present is None:
            raise StoreError(f"{url}: the store is empty: say which specification it is to be under")
        return self.plan(self.present)

    def registered(self, plan: Plan, terms: Terms, url: str) -> int | None:
        """The present number, if that is this plan under these readings and terms, and its text is kept; None if it must be registered.

        Raises StoreError if the store is under another version.
        """
        row = self.rows[self.present] if self.present is not None else None
        if row is None:
            return None
        if row["system"] != plan.name:
            raise StoreError(f"{url}: the store holds instances of `{row['system']}`, not `{plan.name}`")
        if row["hash"] != plan.hash:
            raise StoreError(
                f"{url}: the store holds instances of another version of `{plan.name}`, {row['hash'][:SHORT]}:"
                f" move it (`outlast migrate {url} NEW`), or open it without a plan"
            )
        kept = self.reading.wording(plan.hash) is not None
        return self.present if kept and row["digest"] == specification(plan, terms)["digest"] else None

    def last(self, hash_: str) -> int | None:
        """The number under which a version was used last."""
        return next((number for number, row in reversed(self.rows.items()) if row["hash"] == hash_), None)

    def has(self, number: int) -> bool:
        """Whether there is a plan to be had for a specification."""
        row = self.rows.get(number)
        return row is not None and (row["hash"] in self.known or self.reading.wording(row["hash"]) is not None)

    def plan(self, number: int | None) -> Plan:
        """The plan decisions of that number were made under, readings and all. Raises StoreError."""
        row = self.rows.get(number) if number is not None else None
        if row is None:
            raise StoreError(f"the store does not know specification {number}")
        try:
            return under(self.at(row["hash"]), json.loads(row["readings"]))
        except (UnknownName, ValueError) as error:
            raise StoreError(f"the readings of specification {row['hash'][:SHORT]} are damaged: {error}") from error

    def terms(self, number: int | None) -> Terms:
        """The terms of that number. Raises StoreError."""
        row = self.rows[number] if number is not None else None
        try:
            return Terms(**json.loads(row["terms"])) if row is not None else Terms()
        except (TypeError, ValueError) as error:
            raise StoreError(f"the terms of specification {number} are damaged: {error}") from error

    def at(self, hash_: str) -> Plan:
        """The plan of a version under its default readings. Raises StoreError."""
        if hash_ not in self.known:
            self.known[hash_] = self._read(hash_)
        return self.known[hash_]

    def wording(self, hash_: str) -> str | None:
        """The text of a version as the store has it, if it does. Raises StoreError if it is not the one that was kept."""
        text = self.reading.wording(hash_)
        if text is not None and (hash_ not in self.known or text_of(self.known[hash_]) != text):
            self._read(hash_)
        return text

    def _read(self, hash_: str) -> Plan:
        name = f"specification {hash_[:SHORT]}"
        text = self.reading.wording(hash_)
        if text is None:
            raise StoreError(f"the store has no text of {name}: say that version, or open the store once with it")
        try:
            plan = _of_values(text, hash_) if text.startswith("{") else load_text(text, name)
        except (SpecError, ValueError) as error:
            raise StoreError(f"the text of {name} was changed: {str(error).splitlines()[0]}") from error
        if plan.hash != hash_:
            raise StoreError(f"the text of {name} was changed: it is that of {plan.hash[:SHORT]}")
        return plan

    def find(self, word: str) -> str:
        """The hash that begins so. Raises MisuseError for none or several."""
        hashes = list(dict.fromkeys(row["hash"] for row in self.rows.values()))
        found = [hash_ for hash_ in hashes if hash_.startswith(word)]
        if len(found) != 1:
            short = ", ".join(hash_[:SHORT] for hash_ in hashes)
            what = "several specifications begin" if found else "no specification of the store begins"
            raise MisuseError(f"{what} with `{word}`: it has {short}")
        return found[0]

    def told(self) -> tuple[Version, ...]:
        """Every specification with what was done under it, in the order in which they were used last."""
        usage, living = self.reading.usage(), self.reading.counts().get("instances", 0)
        found = []
        for number, row in self.rows.items():
            since, decisions, instances = usage.get(number, (None, 0, 0))
            found.append(
                Version(
                    number,
                    row["system"],
                    row["hash"],
                    json.loads(row["readings"]),
                    json.loads(row["terms"]),
                    number == self.present,
                    self.reading.wording(row["hash"]) is not None,
                    since,
                    decisions,
                    living if number == self.present else instances,
                )
            )
        return tuple(found)


def defaults(plan: Plan) -> dict[str, str]:
    """The default readings of a plan."""
    return {name: item.default for name, item in plan.assumptions.items()}


def register(transaction: Transaction, plan: Plan, terms: Terms, url: str) -> int:
    """Let a store be used under a plan of the version it is under, and these terms; the number of that. Raises StoreError."""
    transaction.lock((), alone=False)  # nobody moves the store meanwhile
    Versions(transaction).registered(plan, terms, url)
    return transaction.register(registering(plan, terms))


def registering(plan: Plan, terms: Terms) -> Mapping[str, str]:
    """What a transaction registers: `specification`, and its text."""
    return {**specification(plan, terms), "text": text_of(plan)}
