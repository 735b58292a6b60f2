"""SCXML elements -> our model.

What SCXML has and we do not is lowered where its meaning can be kept, and is a problem that names element, line and reason where it
cannot:

- names, targets, delays, ids and sources that are computed: worked out here from the values variables are known to have
- `foreach` over a constant array: its body, once per item
- variables: fields of the type `any`, absent until something is assigned
- illegal expressions and places: `Faulty`, which fails when it is reached, as 5.9 asks
- late binding: an assignment when the state is first entered
- `invoke`: a ref, a spawn of the state, and a machine of its own for every place that invokes
- `log`: the effect `log`
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

import attrs

from outlast import model
from outlast.bridge.scxml.document import CONF, OURS, SCXML, Element, parse, problem
from outlast.bridge.scxml.variables import MYSELF, Env, Files, Variables, any_field
from outlast.bridge.scxml.vocabulary import ABSENT, CHILDREN, CONTENT, ORIGIN_TYPE, PROCESSOR, payload, read, variable
from outlast.errors import SpecError
from outlast.expr import DURATION, INT, STRING, Expr, tree
from outlast.expr.tree import Arithmetic, Faulty, Known, Literal, Name, Not, Present
from outlast.moments import parse_duration
from outlast.place import Word

_INVOKED = ("scxml", "http://www.w3.org/TR/scxml/", "http://www.w3.org/TR/scxml")
_PROCESSORS = ("scxml", PROCESSOR)
_HTTP = "http://www.w3.org/TR/scxml/#BasicHTTPEventProcessor"
_OWN_EVENTS = ("error", "done")
"""First tokens of events that need no declaration."""
_HISTORY = ("shallow-history", "deep-history")


@attrs.define(eq=False)
class Machines:
    """Every machine of one document, the outer one first."""

    files: Files
    found: list[Machine] = attrs.field(factory=list)

    def system(self, root: Element, name: str) -> model.System:
        """The document as a system."""
        machine = self.add(root, name, None, frozenset())
        for sender in self.found:
            for ref, event, given in sender.later:
                sender.children[ref].know(event, given)
        return model.System(Word(machine.name), machines=tuple(item.machine() for item in self.found))

    def add(self, root: Element, name: str, parent: Machine | None, given: frozenset[str]) -> Machine:
        """A machine; `given` are the variables its parent may set."""
        machine = Machine(files=self.files, root=root, name=name, given=given, machines=self, parent=parent)
        self.found.append(machine)
        machine.lower()
        return machine

    def know(self, event: str) -> None:
        """An event whose receiver is found only when it runs."""
        for machine in self.found:
            machine.events.setdefault(event, {})


@attrs.define(eq=False, kw_only=True)
class Machine(Variables):
    """One `scxml` element on its way to a machine."""

    machines: Machines
    parent: Machine | None
    refs: dict[str, model.Ref] = attrs.field(factory=dict)
    transitions: list[model.Transition] = attrs.field(factory=list)
    states: tuple[model.State, ...] = ()
    children: dict[str, Machine] = attrs.field(factory=dict)
    later: list[tuple[str, str, model.Assignments]] = attrs.field(factory=list)
    """What is sent to children, whose machines may not have been read yet."""

    def lower(self) -> None:
        """Read the document into the tables above."""
        if self.parent:
            self.refs["parent"] = model.Ref(Word("parent"), Word(self.parent.name), optional=True)
        self.give_names()
        self.declare()
        self.own_declarations()
        self.states = tuple(self.state(item) for item in self.root.all("state", "parallel", "final", "history"))
        for element in self.root.children:
            if element.space == SCXML and element.name not in (
                "state",
                "parallel",
                "final",
                "datamodel",
                "script",
                "initial",
            ):
                raise self.unknown(element)

    def machine(self) -> model.Machine:
        """The machine."""
        initial = self.root.get("initial")
        place = self.root.place
        default = None
        if initial or self.begin:
            targets = self.words(initial, self.root) if initial else (self.states[0].name,)
            default = model.Entry(targets, tuple(self.begin), place=place)
        return model.Machine(
            Word(self.name, place),
            fields=tuple(attrs.evolve(item, type=self.kind(item)) for item in self.fields.values()),
            refs=tuple(self.refs.values()),
            events=tuple(
                self.said.get(name)
                or model.Event(Word(name), tuple(any_field(item, self.common(found)) for item, found in values.items()))
                for name, values in self.events.items()
            ),
            effects=tuple(
                self.told.get(name)
                or model.Effect(
                    Word(name), tuple(any_field(item, self.common(found)) for item, found in values.items())
                )
                for name, values in self.effects.items()
            ),
            states=self.states,
            default=default,
            transitions=tuple(self.transitions),
            first_choice=True,
            place=place,
        )

    def unknown(self, element: Element) -> SpecError:
        """An element that cannot stand where it stands."""
        return problem("element", f"`{element.name}` is not an element that can stand here", element.place)

    def state(self, element: Element) -> model.State:
        """A state and all below it."""
        name = self.names[element]
        word = Word(name, element.place)
        children = element.all("state", "parallel", "final", "history")
        kind: model.StateKind = "composite" if children else "atomic"
        if element.name == "parallel":
            kind = "parallel"
        elif element.name == "final":
            kind = "final"
        elif element.name == "history":
            kind = "deep-history" if element.get("type") == "deep" else "shallow-history"
        env = dict(self.first if self.entered_once(element) else self.constants)
        entry = self.late(element)
        for handler in element.all("onentry"):
            entry.append(self.block(handler.children, env))
        spawns, extra = self.invocations(element, env)
        entry += extra
        exits = [self.block(item.children, dict(self.constants)) for item in element.all("onexit")]
        if kind not in _HISTORY:
            for transition in element.all("transition"):
                self.transition(transition, word)
        for child in element.children:
            if child.space == SCXML and child.name not in _INSIDE[element.name]:
                raise self.unknown(child)
        done = element.one("donedata")
        return model.State(
            word,
            kind,
            children=tuple(self.state(child) for child in children),
            default=self.default(element, kind),
            entry=tuple(block for block in entry if block),
            exit=tuple(block for block in exits if block),
            spawns=tuple(spawns),
            done_data=self.payload(done) if done else (),
            place=element.place,
        )

    def entered_once(self, element: Element) -> bool:
        """Whether a state is entered at the start and never again."""
        if element not in self.root.children:
            return False
        inside = {self.names[element], *(self.names[item] for item in element.below() if item in self.names)}
        aimed = {
            word
            for item in self.root.below()
            if item.name == "transition" or item.get("initial")
            for word in (item.get("target") or item.get("initial") or "").split()
            if item.name != "initial"
        }
        return not inside & aimed

    def default(self, element: Element, kind: model.StateKind) -> model.Entry | None:
        """Where a composite state or a history leads."""
        rows = element.all("transition") if kind in _HISTORY else []
        if initial := element.one("initial"):
            rows = initial.all("transition")
        for row in rows:
            targets = self.words(row.get("target") or "", row)
            return model.Entry(targets, self.block(row.children, dict(self.constants)), place=row.place)
        if targets_ := element.get("initial"):
            return model.Entry(self.words(targets_, element), place=element.place)
        if kind in _HISTORY:
            raise problem("history", "`history` without a default transition", element.place)
        return None

    def late(self, element: Element) -> list[model.Block]:
        """What `binding="late"` assigns when the state is entered for the first time."""
        found: list[model.Block] = []
        if self.root.get("binding") != "late":
            return found
        for data in [item for model_ in element.all("datamodel") for item in model_.all("data")]:
            name, value = self.place_of(data, "id"), self.content(data)
            if value is None or not isinstance(name, str):
                continue
            flag = f"{name}-bound"
            self.fields[flag] = model.Field(Word(flag), "bool", default=Not(tree.TRUE))
            assign = model.Assign(((Word(flag), tree.TRUE), (Word(name), value)), place=data.place)
            found.append((model.If(Not(Name((flag,))), (assign,), place=data.place),))
        return found

    def transition(self, element: Element, source: Word) -> None:
        """One row of the table."""
        event, place = element.get("event"), element.place
        target = self.fixed(element, "target", {})
        trigger = None
        if event is not None:
            descriptors = [word.removesuffix(".*").removesuffix(".") or "*" for word in event.split()]
            for descriptor in descriptors:
                if descriptor != "*" and descriptor.split(".")[0] not in _OWN_EVENTS:
                    self.events.setdefault(descriptor, {})
            trigger = model.OnEvent(tuple(Word(word, place) for word in descriptors))
        self.transitions.append(
            model.Transition(
                Word(element.get("id", OURS) or f"t{len(self.transitions) + 1}", place),
                (source,),
                trigger,
                self.condition(element),
                self.words(target or "", element),
                element.get("type") == "internal",
                self.block(element.children, dict(self.constants)),
                element.get("refuse", OURS) or "",
                place=place,
            )
        )

    def invocations(self, element: Element, env: Env) -> tuple[list[model.Spawn], list[model.Block]]:
        """What a state spawns, and what its entry does for that."""
        spawns: list[model.Spawn] = []
        extra: list[model.Block] = []
        for invoke in element.all("invoke"):
            id_, place = self.names[invoke], invoke.place
            where = self.place_of(invoke, "idlocation")
            if isinstance(where, str):
                extra.append((model.Assign(((Word(where), Literal(id_, STRING)),), place=place),))
            type_ = self.fixed(invoke, "type", env)
            if type_ is not None and type_ not in _INVOKED:
                raise problem("invoke", f"`invoke` of the type `{type_}`: only SCXML can be invoked here", place)
            given = self.payload(invoke)
            if fault := next((value for _, value in given if isinstance(value, Faulty)), None):
                extra.append((model.If(fault, (), place=place),))
                continue
            root = self.invoked(invoke, env)
            name = f"{self.name}-{id_}".replace(".", "-")
            child = self.machines.add(root, name, self, frozenset(str(name) for name, _ in given))
            self.refs[id_] = model.Ref(Word(id_), Word(name), optional=True)
            self.children[id_] = child
            finalize = invoke.one("finalize")
            actions: model.Block = ()
            if finalize is not None:
                actions = self.block(finalize.children, {}) or self.taken_back(invoke)
            spawns.append(
                model.Spawn(
                    Word(id_, place),
                    Word(name, place),
                    tuple((item, value) for item, value in given if item in child.declared),
                    forward=invoke.get("autoforward") == "true",
                    finalize=actions,
                    place=place,
                )
            )
        return spawns, extra

    def taken_back(self, invoke: Element) -> model.Block:
        """An empty `finalize`: what was given by place is taken from the event (6.5)."""
        names = self.place_of(invoke, "namelist")
        return tuple(
            model.If(Present(payload(name)), (model.Assign(((Word(name), payload(name)),)),))
            for name in (names.split() if isinstance(names, str) else ())
        )

    def invoked(self, invoke: Element, env: Env) -> Element:
        """The document that is invoked: inside, in a file, or in a variable."""
        if source := self.fixed(invoke, "src", env):
            return parse(self.file(source, invoke), source)
        content = invoke.one("content")
        if content is None:
            raise problem("invoke", "`invoke` without `src` or `content`", invoke.place)
        if inner := content.one("scxml"):
            return inner
        text = self.text(self.value(content, "expr"), env)
        if text is None or text not in self.markups:
            raise problem("dynamic", "what `invoke` invokes is not known before the machine runs", content.place)
        return self.markups[text]

    def block(self, elements: Iterable[Element], env: Env) -> model.Block:
        """Executable content as a block."""
        return tuple(action for element in elements for action in self.actions(element, env))

    def actions(self, element: Element, env: Env) -> list[model.Action]:
        """One element of executable content; `env` follows what it assigns."""
        if element.space in (CONF, OURS):
            return self.own_action(element, env)
        if element.space != SCXML:
            raise problem("element", f"`{element.name}` of {element.space} is not known here", element.place)
        match element.name:
            case "raise":
                return [self.raised(self.fixed(element, "event", env) or "", (), element)]
            case "send":
                return self.send(element, env)
            case "cancel":
                return [model.Cancel(Word(self.fixed(element, "sendid", env) or ""), place=element.place)]
            case "assign":
                value = self.content(element)
                return self.assign(self.place_of(element, "location"), value or ABSENT, element, env)
            case "log":
                return self.log(element)
            case "if":
                return [self.choice(element, env)]
            case "foreach":
                return self.loop(element, env)
            case "script":
                raise problem("script", "`script` needs a language that is not spoken here", element.place)
        raise self.unknown(element)

    def own_action(self, element: Element, env: Env) -> list[model.Action]:
        """Elements of the vocabulary, and ours."""
        name, place = element.name, element.place
        if element.space == OURS and name == "emit":
            given = self.payload(element)
            carried = self.effects.setdefault(element.get("effect") or "", {})
            for key, value in given:
                carried.setdefault(str(key), []).append(value)
            return [model.Emit(Word(element.get("effect") or ""), given, place=place)]
        number, one, two = (element.get(key) or "" for key in ("id", "id1", "id2"))
        match name:
            case "incrementID":
                return self.assign(variable(number), Arithmetic("+", read(number), Literal(1, INT)), element, env)
            case "sumVars" | "concatVars":
                return self.assign(variable(one), Arithmetic("+", read(one), read(two)), element, env)
            case "extendArray":
                items = self.array(read(number), env, element)
                text = json.dumps([*(item.value for item in items or ()), 4])
                return self.assign(variable(number), Literal(text, STRING), element, env)
            case "script":
                return self.assign(variable("1"), Literal(1, INT), element, env)
            case "sendToSender":
                event = element.get("name") or ""
                self.machines.know(event)
                return [model.Send(Word(event), address=Known("event sender"), place=place)]
        raise problem("vocabulary", f"`conf:{name}` is not known here", place)

    def assign(self, where: str | Faulty | None, value: Expr, element: Element, env: Env) -> list[model.Action]:
        """An assignment, or what fails in its place."""
        place = element.place
        if not isinstance(where, str):
            return [model.If(where or Faulty("no place to put a value"), (), place=place)]
        if where not in self.fields:
            return [model.If(Faulty(f"there is no variable `{where}`"), (), place=place)]
        word = Word(where, place)
        if value == ORIGIN_TYPE:
            env.pop(where, None)
            sent: model.Block = (model.Assign(((word, Literal(PROCESSOR, STRING)),), place=place),)
            raised: model.Block = (model.Assign(((word, ABSENT),), place=place),)
            return [model.If(Present(Known("event sender")), sent, raised, place=place)]
        known = self.text(value, env)
        env.pop(where, None)
        if known is not None and known != MYSELF and MYSELF not in known:
            env[where] = Literal(known, STRING)
        elif known is not None:
            head, _, tail = known.partition(MYSELF)
            whole: Expr = Known("own id")
            if head:
                whole = Arithmetic("+", Literal(head, STRING), whole)
            env[where] = Arithmetic("+", whole, Literal(tail, STRING)) if tail else whole
        elif isinstance(value, Literal):
            env[where] = value
        return [model.Assign(((word, value),), place=place)]

    def log(self, element: Element) -> list[model.Action]:
        """`log` is the effect of that name."""
        value = self.value(element, "expr")
        payload_: list[tuple[Word, Expr]] = []
        if label := element.get("label"):
            payload_.append((Word("label"), Literal(label, STRING)))
        if value is not None:
            payload_.append((Word("value"), Present(Known("event sender")) if value == ORIGIN_TYPE else value))
        log = self.effects.setdefault("log", {"label": [], "value": []})
        for name, value in payload_:
            log[name].append(value)
        return [model.Emit(Word("log"), tuple(payload_), place=element.place)]

    def choice(self, element: Element, env: Env) -> model.Action:
        """`if` with its `elseif` and `else`, which stand among what is to be done."""
        parts: list[tuple[Element, list[Element]]] = [(element, [])]
        for child in element.children:
            if child.space == SCXML and child.name in ("elseif", "else"):
                parts.append((child, []))
            else:
                parts[-1][1].append(child)
        envs = [dict(env) for _ in parts]
        blocks = [self.block(inside, own) for (_, inside), own in zip(parts, envs, strict=True)]
        for name in list(env):
            if any(own.get(name) != env[name] for own in envs):
                del env[name]
        rest: model.Block = ()
        for (head, _), block in reversed(list(zip(parts, blocks, strict=True))):
            if head.name == "else":
                rest = block
            else:
                condition = self.condition(head)
                rest = (model.If(condition if condition is not None else tree.TRUE, block, rest, place=head.place),)
        return rest[0]

    def array(self, value: Expr, env: Env, element: Element) -> list[Literal] | None:
        """The items of an array that is known; None if the value is known and no array."""
        held = env.get(value.path[0]) if isinstance(value, Name) else value
        if not isinstance(held, Literal):
            raise problem(
                "dynamic", f"the array of `{element.name}` is not known before the machine runs", element.place
            )
        try:
            items = json.loads(held.value) if isinstance(held.value, str) else None
        except ValueError:
            items = None
        if not isinstance(items, list):
            return None
        if not all(isinstance(item, int | str) for item in items):
            raise problem("foreach", "`foreach` over more than numbers and texts", element.place)
        return [Literal(item, INT if isinstance(item, int) else STRING) for item in items]

    def loop(self, element: Element, env: Env) -> list[model.Action]:
        """`foreach`, its body once per item of the array as it was at the start."""
        item, index = self.place_of(element, "item"), self.place_of(element, "index")
        array = self.value(element, "array")
        items = self.array(array, env, element) if array is not None else None
        if items is None:
            return [model.If(Faulty("not an array"), (), place=element.place)]
        found: list[model.Action] = []
        for number, value in enumerate(items):
            found += self.assign(item, value, element, env)
            if index is not None:
                found += self.assign(index, Literal(number, INT), element, env)
            found += self.block(element.children, env)
        return found

    def payload(self, element: Element) -> model.Assignments:
        """What `namelist`, `param` and `content` send along."""
        found: dict[str, Expr] = {}
        names = self.place_of(element, "namelist")
        if isinstance(names, Faulty):
            found["namelist"] = names
        for name in names.split() if isinstance(names, str) else ():
            found[name] = Name((name,)) if name in self.fields else Faulty(f"there is no variable `{name}`")
        for param in element.all("param"):
            where = self.place_of(param, "location")
            value = self.value(param, "expr")
            if where is not None:
                value = Name((where,)) if isinstance(where, str) and where in self.fields else Faulty("no such place")
            found[self.param_name(param)] = value if value is not None else ABSENT
        content = element.one("content") or next((item for item in element.children if item.space == CONF), None)
        if content is not None and content.space == CONF:
            found[CONTENT] = CHILDREN[content.name]
        elif content is not None and element.name != "invoke":
            inside = self.content(content)
            if inside is not None:
                found[CONTENT] = inside
        self.payloads |= dict.fromkeys(found)
        return tuple((Word(name, element.place), value) for name, value in found.items())

    def raised(self, event: str, given: model.Assignments, element: Element) -> model.Action:
        """An event for the own internal queue."""
        self.know(event, given)
        return model.Raise(Word(event, element.place), given, place=element.place)

    def know(self, event: str, given: model.Assignments) -> None:
        """An event of this machine, and what it carries."""
        carried = self.events.setdefault(event, {})
        for name, value in given:
            carried.setdefault(str(name), []).append(value)

    def send(self, element: Element, env: Env) -> list[model.Action]:
        """`send`: to itself, its parent, a child, or whoever is found at run time."""
        place, found = element.place, list[model.Action]()
        where = self.place_of(element, "idlocation")
        id_ = Word(self.names[element], place) if where is not None or element.get("id") else None
        if where is not None and id_ is not None:
            found += self.assign(where, Literal(str(id_), STRING), element, env)
        given = self.payload(element)
        event = self.fixed(element, "event", env)
        type_ = self.fixed(element, "type", env)
        if "basicHTTPAccessURITarget" in {name for space, name in element.attributes if space == CONF}:
            raise problem("http", "`send` over HTTP: events travel inside the system only", place)
        if event is None:
            raise problem("send", "`send` without an event", place)
        word, after = Word(event, place), self.delay(element, env)

        def addressed(address: Expr) -> list[model.Action]:
            self.know(event, given)
            self.machines.know(event)
            return [*found, model.Send(word, None, after, given, id_, address, place=place)]

        target_value = self.value(element, "target")
        target = self.text(target_value, env)
        if type_ == _HTTP and target_value is None:
            return addressed(ABSENT)
        if type_ is not None and type_ not in _PROCESSORS:
            return addressed(Faulty(f"`{type_}` is no event processor known here"))
        if target is None and target_value is not None:
            return addressed(target_value)
        if target == "#_internal":
            return [*found, self.raised(event, given, element)]
        if target is None or target in (MYSELF, f"#_scxml_{MYSELF}"):
            self.know(event, given)
            return [*found, model.Send(word, None, after, given, id_, place=place)]
        if target == "#_parent" and self.parent is not None:
            self.parent.know(event, given)
            return [*found, model.Send(word, Word("parent"), after, given, id_, place=place)]
        if target == "#_parent" or target.startswith("#_scxml_"):
            return addressed(Literal(target.removeprefix("#_scxml_"), STRING))
        if target.startswith("#_"):
            ref = target.removeprefix("#_")
            if ref not in [name for item, name in self.names.items() if item.name == "invoke"]:
                return addressed(Literal(target, STRING))
            self.later.append((ref, event, given))
            return [*found, model.Send(word, Word(ref), after, given, id_, place=place)]
        return addressed(Faulty(f"`{target}` is no target"))

    def delay(self, element: Element, env: Env) -> Expr | None:
        """How long a `send` waits; None: not at all."""
        value = self.value(element, "delay")
        if element.get("delayexpr") is not None and self.root.get("datamodel") == "outlast":
            return value
        text = self.fixed(element, "delay", env)
        if text is None:
            return None
        try:
            microseconds = parse_duration(re.sub(r"^\.", "0.", text.strip()))
        except ValueError as error:
            raise problem("delay", f"`send`: {error}", element.place) from error
        return Literal(microseconds, DURATION) if microseconds else None


_CONTENT = ("onentry", "onexit", "transition", "datamodel", "invoke", "state", "parallel", "history")
_INSIDE: dict[str, tuple[str, ...]] = {
    "state": (*_CONTENT, "initial", "final"),
    "parallel": _CONTENT,
    "final": ("onentry", "onexit", "donedata"),
    "history": ("transition",),
}
