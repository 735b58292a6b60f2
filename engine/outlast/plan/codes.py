"""What a code of a problem means that is found in compiling, in a scenario, or by lint; those of reading are `language.CODES`."""

from __future__ import annotations

from outlast.language.codes import CODES as READING

_UNKNOWN = "a name that nothing has: of a {}"

CODES: dict[str, str] = {
    # names
    "unknown-name": _UNKNOWN.format("value that could stand here"),
    "duplicate-name": "the same name for two things of one kind",
    "guard-cycle": "a named guard that asks for itself",
    # types and values
    "wrong-type": "a value of one type where another is wanted",
    "not-linear": "a product of two values: one side of `*` must be a constant",
    "may-be-absent": "a value that may be absent where one must be there",
    "not-optional": "a ref that can be unbound and does not say so",
    "missing-value": "a value that must be given",
    "unbound-ref": "a ref that must be bound",
    "out-of-range": "a value outside its declared range",
    "bad-default": "a default outside its own declaration",
    "empty-range": "bounds that leave no value",
    # states and rows
    "no-states": "a machine without states",
    "bad-structure": "states that cannot stand where they are",
    "two-initial": "two children marked as the initial one",
    "bad-target": "targets a row cannot have",
    "bad-source": "a state no row can leave",
    # lint, rows of one state
    "overlapping-guards": (
        "Two rows of one state can be asked for by the same event while both guards hold. Which of them is taken then depends on the order "
        "of the file, which nobody who reads the rules would expect to matter. Let the guards exclude each other, or say `choice: first`."
    ),
    "overlap-undecided": (
        "Whether two rows of one state can both hold could not be decided. Compare fewer things at once, or install the extra `check`, "
        "which brings a solver."
    ),
    "guard-gap": (
        "Several rows of one state tell cases of an event apart, and there is a case that none of them covers: the event is then refused as if "
        "nobody had thought of it. Add a row for the rest; without `to` it stays where it is, with `refuse` it says why not."
    ),
    "always-true": "A guard that always holds decides nothing. Leave it out, or correct it.",
    "never-true": "A guard that never holds keeps its row from ever being taken.",
    "dead-transition": "A row that is never taken: others always come before it, or what it waits for never comes.",
    # lint, states and time
    "unreachable-state": "No run of the machine enters the state. A row to it is missing, or it is not needed.",
    "trap-state": "Nothing leads out of the state, and it does not say that the story ends there: `final: true`.",
    "eventless-cycle": "Rows without an event lead round in a circle whatever the guards say: a run would never come to rest.",
    "timer-never-fires": "The state is always left before the timer is due.",
    "stale-look": (
        "A row without an event is looked at when something happens to its own instance. What it reads of another instance may change without that, "
        "so it is taken late. Let the row observe the change: `event: REF.STATE`."
    ),
    # lint, what is declared
    "unused-field": "Nothing reads the field.",
    "unused-event": "No row hears the event, or, if it is internal, nothing says it.",
    "unused-effect": "Nothing emits the effect.",
    "unused-guard": "Nothing asks for the guard.",
    "unused-ref": "Nothing looks along the ref.",
    "unused-constant": "No expression names the constant.",
    "unused-actor": "No event is sent by the actor.",
    "unused-assumption": "Nothing depends on how the assumption is read.",
    # lint, sources
    "uncited-clause": "Nothing follows from a clause of the source, and no `reference` says why.",
    "uncited-transition": "A row without a source: say with `because` which clause it follows from.",
}


def meaning(code: str) -> str:
    """What a code means, in a phrase or a few sentences."""
    found = CODES.get(code) or READING.get(code)
    if found is None and code.startswith("unknown-"):
        return _UNKNOWN.format(code.removeprefix("unknown-"))
    return found or code.replace("-", " ")
