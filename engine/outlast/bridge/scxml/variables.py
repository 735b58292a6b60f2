"""What a document says about its data: names, expressions, variables, and what is known of them before anything runs.

Variables are fields of the one type everything they are ever assigned has, or else of the type `any`; they are absent until something
is assigned. An expression is of the tests' vocabulary, of what every data model has, or ours.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias
from typing import Literal as Type_

import attrs

from outlast import model
from outlast.bridge.scxml.document import CONF, OURS, SCXML, Element, problem
from outlast.bridge.scxml.vocabulary import (
    CHILDREN,
    CONDITIONS,
    CONTENT,
    PLACES,
    VALUES,
    literal,
    payload,
    read,
    variable,
)
from outlast.expr import INT, STRING, Expr, ExprError, tree
from outlast.expr import parse as parse_expression
from outlast.expr.tree import Arithmetic, Compare, Faulty, Known, Literal, Name, Not, Present
from outlast.place import Word

Files = Callable[[str], bytes]
"""Gives the text of a file a document names."""

Env: TypeAlias = dict[str, Expr]
"""What variables are known to hold at one point."""

Kind: TypeAlias = Type_["bool", "int", "duration", "string", "enum", "any"]
MYSELF = "\0myself"
"""Stands for the own id in a text that is otherwise known."""

_ROLES = {
    "illegalTarget": "target",
    "unreachableTarget": "target",
    "targetExpr": "target",
    "targetVar": "target",
    "targetpass": "target",
    "targetfail": "target",
    "eventExpr": "event",
    "typeExpr": "type",
    "invalidSendType": "type",
    "srcExpr": "src",
    "sendIDExpr": "sendid",
    "delay": "delay",
    "delayFromVar": "delay",
    "arrayVar": "array",
    "arrayTextVar": "array",
}
"""Which attribute a template stands for; otherwise `expr`."""
_PLACE_ROLES = {
    "systemVarLocation": "location",
    "invalidLocation": "location",
    "invalidNamelist": "namelist",
    "illegalItem": "item",
}


@attrs.define(eq=False)
class Variables:
    """One `scxml` element, its variables and how its attributes are read."""

    files: Files
    root: Element
    name: str
    given: frozenset[str]
    events: dict[str, dict[str, list[Expr]]] = attrs.field(factory=dict)
    """Events, what they carry, and everything that is ever put there."""
    fields: dict[str, model.Field] = attrs.field(factory=dict)
    effects: dict[str, dict[str, list[Expr]]] = attrs.field(factory=dict)
    said: dict[str, model.Event] = attrs.field(factory=dict)
    told: dict[str, model.Effect] = attrs.field(factory=dict)
    """Events and effects that the document declares, in our words."""
    begin: list[model.Action] = attrs.field(factory=list)
    names: dict[Element, str] = attrs.field(factory=dict)
    """Ids, given or made up, of states, invocations and sends."""
    assigned: dict[str, list[Expr]] = attrs.field(factory=dict)
    """Everything each variable may be assigned."""
    constants: Env = attrs.field(factory=dict)
    first: Env = attrs.field(factory=dict)
    markups: dict[str, Element] = attrs.field(factory=dict)
    payloads: dict[str, None] = attrs.field(factory=dict)

    def give_names(self) -> None:
        """Ids for what has none, so that they are known before anything refers to them."""
        taken = {element.get("id") for element in self.root.below()}

        def free(stem: str) -> str:
            number = 1
            while f"{stem}{number}" in taken:
                number += 1
            taken.add(f"{stem}{number}")
            return f"{stem}{number}"

        def visit(element: Element, state: str) -> None:
            for child in element.children:
                if (child.space, child.name) == (SCXML, "scxml"):
                    continue
                if child.space == CONF and child.name in ("pass", "fail"):
                    child.space, child.attributes[("", "id")], child.name = SCXML, child.name, "final"
                name = child.get("id")
                if child.name in ("state", "parallel", "final", "history"):
                    self.names[child] = name or free("state-")
                elif child.name == "invoke":
                    self.names[child] = name or free(f"{state}.invoke-")
                elif child.name == "send":
                    self.names[child] = name or free("send-")
                visit(child, self.names.get(child, state))

        visit(self.root, "")

    def declare(self) -> None:
        """Every variable: declared, or only ever assigned."""
        late = self.root.get("binding") == "late"
        faults: list[model.Action] = []
        for element in self.root.below():
            if element.name == "data" and isinstance(name := self.place_of(element, "id"), str):
                self.field(name)
        self.scan()
        for element in self.root.below():
            if (element.space, element.name) != (SCXML, "data"):
                continue
            name = self.place_of(element, "id")
            if not isinstance(name, str):
                raise problem("data", "`data` without an id", element.place)
            initial = self.content(element)
            is_root = element in [item for model_ in self.root.all("datamodel") for item in model_.children]
            field = self.field(name)
            self.fields[name] = attrs.evolve(field, **self.type_of(element))
            if initial is None or (late and not is_root):
                continue
            if field.type != "any" or element.get("type", OURS):
                self.fields[name] = attrs.evolve(self.fields[name], default=initial)
            elif isinstance(initial, Faulty):
                faults.append(model.If(initial, (), place=element.place))
            elif isinstance(initial, Literal):
                self.fields[name] = attrs.evolve(self.fields[name], default=initial)
            else:
                if_unset = Not(Present(Name((name,))))
                assign = model.Assign(((Word(name), initial),), place=element.place)
                self.begin.append(model.If(if_unset, (assign,), place=element.place))
            if name not in self.given and not isinstance(initial, Faulty):
                self.first[name] = initial
                if name not in self.assigned:
                    self.constants[name] = initial
        for script in self.root.all("script"):
            raise problem("script", "`script` needs a language that is not spoken here", script.place)
        for element in self.root.children:
            if (element.space, element.name) == (CONF, "script"):
                self.begin.append(model.Assign(((Word(variable("1")), Literal(1, INT)),), place=element.place))
        self.begin += faults

    def own_declarations(self) -> None:
        """What events and effects carry, where the document says so."""
        for element in self.root.children:
            if element.space == OURS and element.name in ("event", "effect"):
                name = Word(element.get("name") or "", element.place)
                values = tuple(
                    attrs.evolve(
                        any_field(item.get("name") or ""), **self.type_of(item), default=self.value(item, "expr")
                    )
                    for item in element.children
                )
                if element.name == "effect":
                    self.told[name] = model.Effect(name, values)
                    self.effects.setdefault(name, {})
                else:
                    self.said[name] = model.Event(name, values, internal=element.get("internal") == "true")
                    self.events.setdefault(name, {})

    def type_of(self, element: Element) -> dict[str, Any]:  # for `attrs.evolve`
        """What our own attributes say about a variable."""
        kind = element.get("type", OURS)
        if kind is None:
            return {}

        def bound(name: str) -> Expr | None:
            text = element.get(name, OURS)
            return self.expression(text, element) if text is not None else None

        return {
            "type": kind,
            "words": tuple(Word(word) for word in (element.get("words", OURS) or "").split()),
            "optional": element.get("optional", OURS) == "true",
            "minimum": bound("min"),
            "maximum": bound("max"),
            "step": bound("step"),
        }

    def field(self, name: str) -> model.Field:
        """A variable's field; made when it is first heard of."""
        return self.fields.setdefault(name, any_field(name))

    @property
    def declared(self) -> set[str]:
        """Variables that `data` declares: the ones a parent may set."""
        names = (self.place_of(item, "id") for item in self.root.below() if item.name == "data")
        return {name for name in names if isinstance(name, str)}

    def kind(self, field: model.Field) -> Kind:
        """The type of a variable: of everything it is ever assigned, if that is one."""
        if field.type != "any" or field.name in self.given:
            return field.type
        values = [*self.assigned.get(field.name, ()), *([field.default] if field.default is not None else ())]
        return self.common([value for value in values if value != _increment(field.name)])

    def common(self, values: list[Expr]) -> Kind:
        """The one type of several values."""
        kinds = {self.kind_of(value) for value in values}
        return kinds.pop() if len(kinds) == 1 else "any"

    def kind_of(self, value: Expr) -> Kind:
        """The type of a value, as far as it shows."""
        match value:
            case Literal(value=None):
                return "any"
            case Literal(type=type_):
                return type_.kind
            case Known():
                return "string"
            case Present() | Not() | Compare() | tree.Inside() | tree.All() | tree.Any():
                return "bool"
        return "any"

    def scan(self) -> None:
        """What is assigned where."""

        def note(name: str | Faulty | None, value: Expr) -> None:
            if isinstance(name, str):
                self.field(name)
                self.assigned.setdefault(name, []).append(value)

        unknown = Faulty("not known")
        for element in self.root.below():
            for key in ("location", "item", "index", "idlocation"):
                if element.name == "param":
                    continue
                where = self.place_of(element, key)
                if key == "idlocation":
                    note(where, Literal(self.names.get(element, ""), STRING))
                else:
                    value = self.value(element, "expr") if element.name == "assign" else None
                    note(where, value if value is not None else unknown)
            if element.name == "param":
                self.payloads[str(self.param_name(element))] = None
            if element.space == CONF:
                for key in ("id", "id1"):
                    if number := element.get(key):
                        name = variable(number)
                        note(name, _increment(name) if element.name == "incrementID" else unknown)
                if element.name == "script":
                    note(variable("1"), Literal(1, INT))
            for (space, name), text in element.attributes.items():
                if space == CONF:
                    self.mentioned(name, text)
            if element.name in ("send", "invoke") and isinstance(names := self.place_of(element, "namelist"), str):
                self.payloads |= dict.fromkeys(names.split())
        self.payloads[CONTENT] = None

    def mentioned(self, template: str, text: str) -> None:
        """Variables that a template reads are there, if only absent."""
        found = [table[template](text) for table in (CONDITIONS, VALUES) if template in table]
        for expr in found:
            for node in tree.walk(expr):
                if isinstance(node, Name) and node.path[0] not in ("_name", "_event"):
                    self.field(node.path[0])
        if template == "varPrefix":
            for number in text.split():
                self.field(variable(number))

    def content(self, element: Element) -> Expr | None:
        """The value of `data`, `assign` or `content`: an expression, a file, or what stands inside."""
        value = self.value(element, "expr")
        if value is not None:
            return value
        if source := element.get("src"):
            return literal(self.file(source, element).decode("utf-8", "replace"))
        for child in element.children:
            if child.space == CONF and child.name in CHILDREN:
                return CHILDREN[child.name]
            self.markups[child.markup()] = child
            return Literal(child.markup(), STRING)
        return literal(element.text) if element.text.strip() else None

    def file(self, source: str, element: Element) -> bytes:
        """What stands in a file the document names."""
        try:
            return self.files(source.removeprefix("file:"))
        except OSError as error:
            raise problem("file", f"`{element.name}` names `{source}`, which cannot be read", element.place) from error

    def value(self, element: Element, role: str) -> Expr | None:
        """What an element says for `expr`, `target`, `event`, …, in one way or the other."""
        for (space, name), text in element.attributes.items():
            if space == CONF and name in VALUES and _ROLES.get(name, "expr") == role:
                return self.named(VALUES[name](text))
        computed = element.get(role if role == "expr" else "arrayexpr" if role == "array" else f"{role}expr")
        if computed is not None:
            return self.expression(computed, element)
        plain = element.get(role)
        if plain is None:
            return None
        return self.expression(plain, element) if role == "array" else Literal(plain, STRING)

    def condition(self, element: Element) -> Expr | None:
        """The guard of a `transition`, `if` or `elseif`."""
        for (space, name), text in element.attributes.items():
            if space != CONF or name in VALUES:
                continue
            if name == "varPrefix":
                return self.prefix(text, element)
            if name == "emptyEventData":
                return tree.conjunction(tuple(Not(Present(payload(item))) for item in self.payloads))
            if name not in CONDITIONS:
                raise problem(
                    "vocabulary", f"`{element.name}` asks `conf:{name}`, which is not known here", element.place
                )
            return self.named(CONDITIONS[name](text))
        text_ = element.get("cond")
        return self.expression(text_, element) if text_ is not None else None

    def named(self, expr: Expr) -> Expr:
        """`expr` with `_name` replaced by the document's name."""
        name = Literal(self.root.get("name") or self.name, STRING)
        match expr:
            case Name(path=("_name",)):
                return name
            case Compare(left=Name(path=("_name",))):
                return attrs.evolve(expr, left=name)
            case Compare(right=Name(path=("_name",))):
                return attrs.evolve(expr, right=name)
        return expr

    def prefix(self, numbers: str, element: Element) -> Expr:
        """Whether one variable's text begins with another's, decided for every text they may hold."""
        short, long = numbers.split()
        pairs: list[Expr] = []
        for one in self.texts(variable(short), element):
            for two in self.texts(variable(long), element):
                if two.startswith(one):
                    same = (
                        Compare("==", read(number), Literal(text, STRING))
                        for number, text in ((short, one), (long, two))
                    )
                    pairs.append(tree.All(tuple(same)))
        return tree.Any(tuple(pairs)) if pairs else Not(tree.TRUE)

    def texts(self, name: str, element: Element) -> Iterator[str]:
        """Every text a variable may hold. Raises SpecError where that is not known."""
        values = [*self.assigned.get(name, ()), *([self.first[name]] if name in self.first else ())]
        for value in values:
            if not (isinstance(value, Literal) and isinstance(value.value, str)):
                raise problem("dynamic", f"`{element.name}`: the texts `{name}` may hold are not known", element.place)
            yield value.value

    def place_of(self, element: Element, role: str) -> str | Faulty | None:
        """The name of a variable that an element assigns or reads by place."""
        for (space, name), text in element.attributes.items():
            if space == CONF and name in PLACES and _PLACE_ROLES.get(name, name) == role:
                return PLACES[name](text)
        return element.get(role)

    def param_name(self, element: Element) -> str:
        """The name of a `param`."""
        name = self.place_of(element, "name")
        if not isinstance(name, str):
            raise problem("param", "`param` without a name", element.place)
        return name

    def expression(self, text: str, element: Element) -> Expr:
        """An expression that is not of the vocabulary: ours, or what every data model has."""
        text = text.strip()
        if self.root.get("datamodel") == "outlast":
            try:
                return parse_expression(text, element.place)
            except ExprError as error:
                raise problem("expression", f"`{element.name}`: {error}", element.place, error.hint) from error
        if match := re.fullmatch(r"In\(\s*(['\"])([^'\"]+)\1\s*\)", text):
            return tree.Inside((), None, (match[2],), place=element.place)
        if text in ("true", "false"):
            return tree.TRUE if text == "true" else Not(tree.TRUE)
        if re.fullmatch(r"-?\d{1,18}|'[^'\\]*'|\"[^\"\\]*\"", text):
            return attrs.evolve(literal(text), place=element.place)
        if text in self.fields:
            return Name((text,))
        if re.fullmatch(r"_\w+", text):
            return Faulty(f"`{text}` is not known here")
        language = self.root.get("datamodel") or "another data model"
        text = f"`{element.name}` says `{text}` in the language of {language}, which is not spoken here"
        raise problem("expression", text, element.place)

    def words(self, text: str, element: Element) -> tuple[Word, ...]:
        """Names in an attribute."""
        return tuple(Word(word, element.place) for word in text.split())

    def text(self, expr: Expr | None, env: Env) -> str | None:
        """The text an expression has, as far as it is known; the own id is `MYSELF`."""
        match expr:
            case Literal(value=str(value)):
                return value
            case Known(fact="own id"):
                return MYSELF
            case Name(path=(name,)) if name in env:
                return self.text(env[name], {key: value for key, value in env.items() if key != name})
            case Arithmetic(op="+", left=left, right=right):
                one, two = self.text(left, env), self.text(right, env)
                return one + two if one is not None and two is not None else None
        return None

    def fixed(self, element: Element, role: str, env: Env) -> str | None:
        """A text that must be known before anything runs; None if the element says none."""
        value = self.value(element, role)
        if value is None:
            return None
        found = self.text(value, env)
        if found is None:
            raise problem(
                "dynamic", f"the {role} of `{element.name}` is not known before the machine runs", element.place
            )
        return found


def _increment(name: str) -> Expr:
    return Arithmetic("+", Name((name,)), Literal(1, INT))


def any_field(name: str, kind: Kind = "any") -> model.Field:
    """A value of that type, absent until it is given."""
    return model.Field(Word(name), kind, optional=True)
