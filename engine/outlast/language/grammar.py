"""The language, as one table: every construct, its keys in canonical order, and what may stand in them.

The reader checks against it, the writer takes the order from it, the JSON Schema is made of it.
"""

from __future__ import annotations

import attrs

from outlast.language.shapes import (
    CLAUSE,
    DESCRIPTOR,
    FILE,
    INSTANCE,
    PATH,
    VALUE_NAME,
    AtMostOne,
    Blocks,
    Condition,
    Duration,
    Either,
    Excludes,
    Flag,
    Key,
    Many,
    Name,
    Needs,
    OneOf,
    OneOrMany,
    Record,
    Table,
    Text,
    Use,
    Value,
    Whole,
)

_NAME, _PATH, _VALUE_NAME = Name(), Name(PATH), Name(VALUE_NAME)
_STATES = OneOrMany(_NAME, "a state or a list of states")
_EVENTS = OneOrMany(Name(DESCRIPTOR), "an event or a list of events")
_ACTORS = OneOrMany(_NAME, "an actor or a list of actors")
_CLAUSES = OneOrMany(Name(CLAUSE), "a clause id or a list of them")
_ACTIONS = Many(Use("action"), "a list of actions")
_VALUES = Table(_VALUE_NAME, Value(), "a mapping of names to values")
_READINGS = Table(_NAME, _NAME, "a mapping of assumptions to readings", least=1)
_TYPE = OneOf(
    ("bool", "int", "duration", "string"),
    (
        ("enum", "an enum is written `{enum: [words]}`"),
        ("number", "numbers are whole: `int`"),
        ("text", "write `string`"),
    ),
)
_FIELD = Either(
    _TYPE,
    Use("field"),
    "a type, or a mapping with `type` or `enum`",
)
_FIELDS = Table(_VALUE_NAME, _FIELD, "a mapping of names to types")
_SPAWN = Either(_NAME, Use("spawn"), "a machine, or a mapping with `machine`")
_STATE_TREE = Table(_NAME, Use("state"), "a mapping of names to states", least=1)
_FIRST = OneOf(("first",))
_GIVEN = Table(Name(INSTANCE), Use("given"), "a mapping of instances to what they start with")
_SAYING = Either(
    _PATH,
    Table(_PATH, _VALUES, "one event with its payload", least=1, most=1),
    "an event, or an event with its payload",
)
_SAYINGS = Many(
    Table(Name(INSTANCE), _SAYING, "an instance and the event it hears", least=1, most=1),
    "a list of events, each with its instance",
)
_CLAIMS = ("never", "always", "never-longer-than", "leads-to", "reachable", "can-always")

_TITLE = Key("title", Text(), "A name for people.")
_ABOUT = Key("about", Text(), "A sentence or two for people.")
_BECAUSE = Key("because", _CLAUSES, "The clauses it follows from.")

_RECORDS = (
    Record(
        "machine",
        "a machine",
        "One machine: its data, its states, and the rows that say what it does.",
        (
            Key("machine", _NAME, "The name of the machine.", required=True),
            _TITLE,
            _ABOUT,
            Key("fields", _FIELDS, "Typed data of an instance.", section=True),
            Key(
                "refs",
                Table(_VALUE_NAME, Either(_NAME, Use("ref"), "a machine, or a mapping with `machine`"), "a mapping of names to machines"),
                "Other machines this one can read, watch and send to.",
                section=True,
            ),
            Key("events", Table(_PATH, Use("event"), "a mapping of names to events"), "What the outside world, or another machine, may say.", section=True),
            Key("effects", Table(_NAME, Use("effect"), "a mapping of names to effects"), "What the machine tells the service that embeds it.", section=True),
            Key(
                "guards",
                Table(_VALUE_NAME, Either(Condition(), Use("guard"), "a condition, or a mapping with `that`", key="that"), "a mapping of names to conditions"),
                "Named conditions, also readable through a ref.",
                section=True,
            ),
            Key("requires", Many(Use("requirement"), "a list of requirements"), "What the fields of a new instance must satisfy.", section=True),
            Key("states", _STATE_TREE, "The states, in document order.", required=True, section=True),
            Key("initial-transition", Use("entry"), "How the machine begins; by default it enters the first state, or the one marked `initial: true`."),
            Key("transitions", Many(Use("transition"), "a list of transitions"), "The rows, in priority order.", section=True),
            Key("choice", _FIRST, "`first`: guards of one state and event may overlap, document order decides."),
            Key("moved", Table(_NAME, _NAME, "a mapping of states to states", least=1), "A state of an earlier version to the one that takes in whoever is in it.", section=True),
        ),
        "block",
    ),
    Record(
        "field",
        "a declaration",
        "A typed value.",
        (
            Key("type", _TYPE, "The type of the value."),
            Key("enum", Many(_NAME, "a list of words", least=1, unique=True), "The words it may be."),
            Key("default", Value(), "The value when none is given: a value or a constant."),
            Key("optional", Flag(), "Whether it may be absent."),
            Key("min", Value(), "The least value, included."),
            Key("max", Value(), "The greatest value, included."),
            Key("step", Value(), "The value is `min` plus a whole multiple of this."),
            _ABOUT,
            _BECAUSE,
        ),
        "row",
        (AtMostOne(("type", "enum"), "two-types", "a declaration says `type` or `enum`", "missing-type"),),
    ),
    Record(
        "ref",
        "a ref",
        "A name for another instance.",
        (
            Key("machine", _NAME, "The machine of the instance.", required=True),
            Key("optional", Flag(), "Whether it may be left unbound."),
            _ABOUT,
        ),
    ),
    Record(
        "event",
        "an event",
        "What may be said to an instance.",
        (
            Key("payload", _FIELDS, "The values it carries."),
            Key("by", _ACTORS, "The actors that may send it; all, when absent."),
            Key("internal", Flag(), "Only `raise` and `send` may say it, not the outside."),
            _ABOUT,
            _BECAUSE,
        ),
    ),
    Record(
        "effect",
        "an effect",
        "What a machine tells the service that embeds it.",
        (Key("payload", _FIELDS, "The values it carries."), _ABOUT, _BECAUSE),
    ),
    Record(
        "guard",
        "a guard",
        "A named condition.",
        (Key("that", Condition(), "The condition.", required=True), _ABOUT, _BECAUSE),
        "row",
    ),
    Record(
        "requirement",
        "a requirement",
        "What the fields of a new instance must satisfy.",
        (
            Key("id", _NAME, "The name of the requirement.", required=True),
            Key("that", Condition(), "The condition.", required=True),
            Key("says", Text(), "What whoever breaks it is told.", required=True),
            _BECAUSE,
        ),
        "row",
    ),
    Record(
        "state",
        "a state",
        "A state, and all below it.",
        (
            Key("initial", Flag(), "Whether its parent enters it by default."),
            Key("role", OneOf(("live", "danger", "failure", "recover", "success", "neutral")), "How pictures show it."),
            _TITLE,
            _ABOUT,
            _BECAUSE,
            Key("final", Flag(), "A final state: its parent is then done (SCXML 3.7)."),
            Key("done-data", _VALUES, "Of a final state: the payload of the done event."),
            Key("history", OneOf(("shallow", "deep")), "A history pseudo-state (SCXML 3.10)."),
            Key("to", _STATES, "Of a history: its default."),
            Key("do", _ACTIONS, "Of a history: actions on the way to its default."),
            Key("choice", _FIRST, "`first`: guards of rows leaving this state may overlap, document order decides."),
            Key("spawn", Table(_VALUE_NAME, _SPAWN, "a mapping of refs to machines"), "Children that live as long as the state is active (SCXML 6.4)."),
            Key("entry", Blocks(), "Actions when it is entered."),
            Key("exit", Blocks(), "Actions when it is exited."),
            Key("initial-transition", Use("entry"), "Of a composite: where it begins, deep or several targets, actions (SCXML 3.6)."),
            Key("states", _STATE_TREE, "Children, one of them active."),
            Key("regions", _STATE_TREE, "Children, all of them active."),
        ),
        "free",
        (
            AtMostOne(("final", "history", "states", "regions"), "two-kinds", "a state is composite, parallel, final or a history"),
            Needs("history", ("to",), "missing-key", "a history needs `to`, its default"),
            Excludes("history", ("entry", "exit", "spawn", "done-data", "initial-transition"), "misplaced-key", "a history is no state that can be active"),
            Excludes("final", ("spawn", "initial-transition"), "misplaced-key", "a final state has nothing below it"),
            Needs("to", ("history",), "misplaced-key", "a state does not go anywhere: `to` belongs to a history or a transition"),
            Needs("do", ("history",), "misplaced-key", "`do` belongs to a history or a transition: a state has `entry` and `exit`"),
            Needs("done-data", ("final",), "misplaced-key", "only a final state has `done-data`"),
            Needs("initial-transition", ("states",), "misplaced-key", "only a composite state has an `initial-transition`"),
        ),
    ),
    Record(
        "entry",
        "an initial transition",
        "Where it leads, and what happens on the way.",
        (Key("to", _STATES, "A state, or several in different regions.", required=True), Key("do", _ACTIONS, "Actions on the way.")),
    ),
    Record(
        "transition",
        "a transition",
        "One row: from where, on what, under which condition, to where.",
        (
            Key("id", _NAME, "Stable, unique in the machine, never reused.", required=True),
            Key("from", _STATES, "A state, or a list: the same row for each of them.", required=True),
            Key("event", _EVENTS, "An event, an observation, or a list; `a` also matches `a.b`, `*` matches all (SCXML 3.12.1)."),
            Key("after", Value(duration=True), "Fires exactly that long after the source state was entered."),
            Key("within", Value(duration=True), "Fires at some moment from entry to this bound, both included."),
            Key("done", _NAME, "A state, or a ref spawned by this machine: fires when it is done."),
            Key("when", Condition(), "The guard."),
            Key("to", _STATES, "The target, or several in different regions; without it nothing is exited or entered."),
            Key("internal", Flag(), "A composite source is not exited when all targets are inside it (SCXML 3.13)."),
            Key("refuse", Text(), "The event is refused with these words."),
            Key("do", _ACTIONS, "Actions, after exits and before entries."),
            _ABOUT,
            _BECAUSE,
        ),
        "row",
        (
            AtMostOne(("event", "after", "within", "done"), "two-triggers", "a transition has one trigger at most"),
            Excludes("refuse", ("to", "do"), "refusal-with-effect", "a refusal changes nothing"),
            Needs("refuse", ("event",), "refusal-without-event", "only an event can be refused"),
        ),
    ),
    Record(
        "action",
        "an action",
        "One thing to do.",
        (
            Key("set", attrs.evolve(_VALUES, least=1), "Assign fields, left to right."),
            Key("emit", Either(_NAME, Table(_NAME, _VALUES, "one effect with its payload", least=1, most=1), "an effect, or an effect with its payload"), "Tell the embedding service."),
            Key("raise", Either(_PATH, Table(_PATH, _VALUES, "one event with its payload", least=1, most=1), "an event, or an event with its payload"), "Own internal queue: handled before anything from outside."),
            Key("send", Use("send"), "An event to another instance or to itself, now or later."),
            Key("cancel", _NAME, "Drop the delayed send of that id."),
            Key("spawn", Table(_VALUE_NAME, _SPAWN, "one ref with its machine", least=1, most=1), "Make a child now and bind it."),
            Key("stop", _VALUE_NAME, "Stop the child bound to the ref and unbind it."),
            Key("if", Condition(), "Choose."),
            Key("do", _ACTIONS, "What to do if the condition holds."),
            Key("else", _ACTIONS, "What to do otherwise."),
        ),
        "free",
        (
            AtMostOne(
                ("set", "emit", "raise", "send", "cancel", "spawn", "stop", "if"),
                "two-actions",
                "an action is one of `set`, `emit`, `raise`, `send`, `cancel`, `spawn`, `stop`, `if`",
                "missing-action",
            ),
            Needs("if", ("do",), "missing-key", "an `if` needs `do`"),
            Needs("do", ("if",), "misplaced-key", "`do` belongs to an `if`"),
            Needs("else", ("if",), "misplaced-key", "`else` belongs to an `if`"),
        ),
        unknown="unknown-action",
    ),
    Record(
        "send",
        "a send",
        "An event to another instance or to itself.",
        (
            Key("event", _PATH, "The event.", required=True),
            Key("to", _PATH, "A ref, or `self`, the default."),
            Key("after", Value(duration=True), "How much later."),
            Key("with", _VALUES, "The payload."),
            Key("id", _NAME, "A name by which `cancel` can drop it."),
        ),
        "free",
    ),
    Record(
        "spawn",
        "a child",
        "A child instance.",
        (
            Key("machine", _NAME, "Its machine.", required=True),
            Key("with", _VALUES, "Its fields."),
            Key("refs", Table(_VALUE_NAME, _PATH, "a mapping of its refs to refs of this machine"), "Its refs: its name to a ref of this machine."),
        ),
        "free",
    ),
    Record(
        "system",
        "a system",
        "A system and the machines it is made of.",
        (
            Key("system", _NAME, "The name of the system.", required=True),
            _TITLE,
            _ABOUT,
            Key("document", Use("document"), "The text the rules come from.", section=True),
            Key("machines", Many(_NAME, "a list of machines", least=1, unique=True), "The machines, each a file beside this one.", required=True, section=True),
            Key(
                "clauses",
                Either(Name(FILE), Many(Use("clause"), "a list of clauses"), "the name of a file beside this one, or a list of clauses"),
                "What the document says: a file, or the list itself.",
            ),
            Key("actors", Table(_NAME, Use("actor"), "a mapping of names to actors"), "Who may send events.", section=True),
            Key("constants", Table(_VALUE_NAME, Use("constant"), "a mapping of names to constants"), "Named values, usable in every expression.", section=True),
            Key("assumptions", Table(_NAME, Use("assumption"), "a mapping of names to assumptions"), "Questions the document leaves open.", section=True),
            Key("compositions", Table(_NAME, Use("composition"), "a mapping of names to compositions"), "A few instances each, to check the properties with.", section=True),
            Key("properties", Many(Use("property"), "a list of properties"), "What must hold, whatever happens and whenever.", section=True),
        ),
        "block",
    ),
    Record(
        "document",
        "a document",
        "Where the clauses come from.",
        (
            Key("title", Text(), "Its title.", required=True),
            Key("language", Text(), "The language it is written in."),
            Key("address", Text(), "Where it can be read."),
        ),
        "free",
    ),
    Record(
        "clause",
        "a clause",
        "One statement of the document.",
        (
            Key("id", Name(CLAUSE), "Stable and never reused.", required=True),
            Key("section", Text(), "The section it stands in."),
            Key("line", Whole(), "The line it stands on."),
            Key("says", Text(), "What it says, in your own words.", required=True),
            Key("reason", Text(), "Why an inferred rule exists."),
            Key("reference", Text(), "Why no behaviour follows from it."),
        ),
    ),
    Record("actor", "an actor", "Somebody who may send events.", (_ABOUT,)),
    Record(
        "constant",
        "a constant",
        "A named value.",
        (Key("value", Value(), "The value.", required=True), _ABOUT, _BECAUSE),
    ),
    Record(
        "assumption",
        "an assumption",
        "A question the document leaves open.",
        (
            Key("question", Text(), "The question.", required=True),
            Key("readings", Table(_NAME, Text(), "a mapping of readings to words", least=1), "The possible answers.", required=True),
            Key("default", _NAME, "The reading taken unless told otherwise.", required=True),
            Key("confidence", Text(), "How sure the authors are of the default."),
            _BECAUSE,
        ),
        "block",
    ),
    Record(
        "composition",
        "a composition",
        "Instances whose every run is looked at, and what may be said to them.",
        (
            _ABOUT,
            Key("constants", _VALUES, "Constants that are others here, to keep it small."),
            Key("given", _GIVEN, "The instances, each with what it starts with.", required=True),
            Key("only", _SAYINGS, "All that the outside may say, and no more."),
            Key("also", _SAYINGS, "What it may say beside every event from outside that needs no values."),
        ),
        "block",
        (Excludes("only", ("also",), "misplaced-key", "`only` leaves room for nothing else"),),
    ),
    Record(
        "property",
        "a property",
        "What must hold of every instance of a machine, in words and in the terms of its guards.",
        (
            Key("id", _NAME, "Stable, never reused.", required=True),
            Key("of", _NAME, "The machine whose instances it speaks of, each in turn.", required=True),
            Key("from", Condition(), "What a `leads-to` begins with, what a `can-always` speaks of; of the others: what held just before."),
            Key("upon", Condition(), "Of `never` and `always`: only as this becomes true."),
            Key("while", Condition(), "Of `never-longer-than`: what does not last longer."),
            Key("never", Condition(), "Does not hold, at any moment."),
            Key("always", Condition(), "Holds at every moment."),
            Key("never-longer-than", Value(duration=True), "How long `while` may last at most."),
            Key("leads-to", Condition(), "Holds at the latest `within` this long after `from` began to."),
            Key("within", Value(duration=True), "How long `leads-to` may take at most."),
            Key("reachable", Condition(), "Can be brought about: a witness is shown."),
            Key("can-always", Condition(), "Can still be brought about, wherever `from` holds."),
            Key("in", OneOrMany(_NAME, "a composition or a list of compositions"), "The compositions it is checked in; all, when absent."),
            Key("says", Text(), "The same in words.", required=True),
            _BECAUSE,
        ),
        "row",
        (
            AtMostOne(_CLAIMS, "two-claims", "a property makes one claim", "missing-claim"),
            Needs("upon", ("never", "always"), "misplaced-key", "`upon` belongs to `never` or `always`"),
            Needs("while", ("never-longer-than",), "misplaced-key", "`while` belongs to `never-longer-than`"),
            Excludes("never-longer-than", ("from",), "misplaced-key", "`never-longer-than` begins with its `while`"),
            Needs("within", ("leads-to",), "misplaced-key", "`within` belongs to `leads-to`"),
            Needs("never-longer-than", ("while",), "missing-key", "`never-longer-than` needs `while`"),
            Needs("leads-to", ("from",), "missing-key", "`leads-to` needs `from`"),
            Needs("leads-to", ("within",), "missing-key", "`leads-to` needs `within`"),
        ),
    ),
    Record(
        "scenario",
        "a scenario",
        "A story: instances, timed steps, expectations.",
        (
            Key("scenario", _NAME, "The name of the scenario.", required=True),
            _TITLE,
            _ABOUT,
            Key("system", _NAME, "Its system; only needed outside the system's own scenarios/ folder."),
            Key("constants", _VALUES, "Constants that have other values in this story."),
            Key("given", _GIVEN, "The instances, each with what it starts with."),
            Key("steps", Many(Use("step"), "a list of steps"), "What happens, and when."),
            Key("expect", Many(Use("expectation"), "a list of expectations"), "What must be true, and when."),
        ),
        "block",
    ),
    Record(
        "given",
        "an instance",
        "Where an instance starts, its fields and its refs.",
        (Key("state", _NAME, "The state it starts in."),),
        "row",
        others=_VALUES,
        others_after="state",
    ),
    Record(
        "step",
        "a step",
        "An event to one instance, or a new instance.",
        (
            Key("at", Duration(), "When, counted from the start.", required=True),
            Key("under", _READINGS, "Taken only under these readings."),
            Key("new", Table(Name(INSTANCE), Use("given"), "one instance with what it starts with", least=1, most=1), "Makes an instance."),
            Key("happen", Table(Name(INSTANCE), _NAME, "one instance and its `within` row", least=1, most=1), "The moment a `within` row stood for."),
            Key("by", _NAME, "The actor who says it."),
            Key("expect", OneOf(("refused",)), "`refused`: the event must be refused."),
        ),
        "row",
        (
            Excludes("new", ("by", "expect"), "misplaced-key", "nobody says a new instance, and nobody can refuse it"),
            Excludes("happen", ("new", "by", "expect"), "misplaced-key", "what happens by itself is not said"),
        ),
        others=Table(Name(INSTANCE), _SAYING, "an instance and the event it hears", most=1),
        others_after="happen",
    ),
    Record(
        "expectation",
        "an expectation",
        "What must be true at one instant.",
        (
            Key("at", Duration(), "When, counted from the start.", required=True),
            Key("under", _READINGS, "Holds only under these readings."),
            Key("effects", Many(_NAME, "a list of effects"), "The names of all effects of that instant, in order."),
        ),
        "row",
        others=Table(Name(INSTANCE), Either(_NAME, Use("seen"), "a state, or a mapping with `state`, `deadlines` and fields"), "instances and what is true of them"),
        others_after="under",
    ),
    Record(
        "seen",
        "what is true of an instance",
        "State, timers and fields of an instance.",
        (
            Key("state", _STATES, "A state that is active, or a list of them."),
            Key("deadlines", Table(_NAME, Duration(), "a mapping of rows to durations"), "All running timers, by row, counted from the start."),
        ),
        "row",
        others=_VALUES,
        others_after="state",
    ),
)  # fmt: skip

RECORDS = {record.name: record for record in _RECORDS}

CLAUSE_LIST = Many(Use("clause"), "a list of clauses")
"""The shape of a file of clauses."""
