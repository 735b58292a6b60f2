"""Text of a guard or value -> tree. A Pratt-style descent over a dozen token kinds; no Python is evaluated or parsed."""

from __future__ import annotations

import re
from typing import NamedTuple, cast

from outlast.expr import tree
from outlast.expr.tree import BOOL, DURATION, INT, STRING, Expr, Literal, Name
from outlast.moments import parse_duration
from outlast.place import Place

LONGEST_TEXT = 2_000
DEEPEST = 50
LARGEST_INT = 2**63 - 1


class ExprError(ValueError):
    """The text is not an expression; `offset` counts characters from its start."""

    def __init__(self, text: str, offset: int, hint: str | None = None) -> None:
        super().__init__(text)
        self.offset, self.hint = offset, hint


_UNIT = r"\d+(?:\.\d+)?(?:us|ms|w|d|h|m|s)\b"
_TOKEN = re.compile(
    rf"""
      (?P<space>\s+)
    | (?P<duration>{_UNIT}(?:\s+{_UNIT})*|P(?=\d|T\d)[\dWDTHMS.]+\b)
    | (?P<int>\d+\b(?!\.\d))
    | (?P<name>[A-Za-z_]\w*(?:-\w+)*(?:\.[A-Za-z_]\w*(?:-\w+)*)*)
    | (?P<string>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
    | (?P<op>==|!=|<=|>=|<|>|\+|-|\*|\(|\)|\[|\]|,)
    """,
    re.VERBOSE | re.ASCII,
)
KEYWORDS = frozenset({"and", "or", "not", "is", "in", "true", "false", "present", "absent"})
_COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})
_INSTEAD = {
    "=": "==",
    "&": "and",
    "|": "or",
    "!": "not",
    "/": "nothing: division is not linear",
    "%": "nothing: there is no remainder",
}


class _Token(NamedTuple):
    kind: str
    text: str
    offset: int


def _tokens(text: str) -> list[_Token]:
    found, at = [], 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if not match:
            instead = _INSTEAD.get(text[at])
            hint = f"use {instead if ' ' in instead else f'`{instead}`'}" if instead else None
            raise ExprError(f"`{text[at]}` does not belong in an expression", at, hint)
        kind = cast(str, match.lastgroup)
        if kind == "name" and match[0] in KEYWORDS:
            kind = "word"
        if kind != "space":
            found.append(_Token(kind, match[0], at))
        at = match.end()
    return [*found, _Token("end", "", len(text))]


def parse(text: str, place: Place | None = None) -> Expr:
    """The tree of `text`, whose first character stands at `place`. Raises ExprError."""
    if len(text) > LONGEST_TEXT:
        raise ExprError(f"an expression has at most {LONGEST_TEXT} characters, this one {len(text)}", 0)
    return _Parser(_tokens(text), place).whole()


class _Parser:
    """One pass over the tokens; each method reads one level of precedence, loosest first."""

    def __init__(self, tokens: list[_Token], place: Place | None) -> None:
        self.tokens, self.start, self.at = tokens, place, 0
        self.depth, self.operators = 0, 0

    def whole(self) -> Expr:
        expr = self.either()
        if self.now.kind != "end":
            raise self.unexpected("the end")
        return expr

    @property
    def now(self) -> _Token:
        return self.tokens[self.at]

    def place(self, token: _Token) -> Place | None:
        return self.start.shifted(token.offset) if self.start else None

    def take(self, *texts: str) -> _Token | None:
        """The current token if it is one of these operators or keywords."""
        token = self.now
        if token.kind in ("op", "word") and token.text in texts:
            self.at += 1
            return token
        return None

    def need(self, text: str) -> None:
        if not self.take(text):
            raise self.unexpected(f"`{text}`")

    def unexpected(self, wanted: str) -> ExprError:
        token = self.now
        found = f"`{token.text}`" if token.text else "the end"
        return ExprError(f"expected {wanted}, found {found}", token.offset)

    def deepen(self, token: _Token) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise ExprError(f"an expression nests at most {DEEPEST} deep", token.offset)

    def count_operator(self, token: _Token) -> None:
        """Every `+`, `-` and `*` may nest the tree by one: a limit on their number is one on its depth."""
        self.operators += 1
        if self.operators > DEEPEST:
            raise ExprError(f"an expression has at most {DEEPEST} arithmetic operators", token.offset)

    def either(self) -> Expr:
        self.deepen(self.now)
        first, parts = self.now, [self.both()]
        while self.take("or"):
            parts.append(self.both())
        self.depth -= 1
        return parts[0] if len(parts) == 1 else tree.Any(tuple(parts), place=self.place(first))

    def both(self) -> Expr:
        first, parts = self.now, [self.negation()]
        while self.take("and"):
            parts.append(self.negation())
        return parts[0] if len(parts) == 1 else tree.All(tuple(parts), place=self.place(first))

    def negation(self) -> Expr:
        negations: list[_Token] = []
        while token := self.take("not"):
            negations.append(token)
            self.deepen(token)
        expr = self.comparison()
        self.depth -= len(negations)
        for token in reversed(negations):
            expr = tree.Not(expr, place=self.place(token))
        return expr

    def comparison(self) -> Expr:
        first = self.now
        left, place = self.sum(), self.place(first)
        if token := self.take(*_COMPARISONS):
            op = cast(tree.Comparison, token.text)
            return tree.Compare(op, left, self.sum(), place=place)
        if self.take("is"):
            negated = self.take("not")
            expr = self.membership(left, first, place)
            return tree.Not(expr, place=place) if negated else expr
        negated = self.take("not")
        if self.take("in"):
            expr = tree.Among(left, self.options(self.sum), place=place)
            return tree.Not(expr, place=place) if negated else expr
        if negated:
            raise self.unexpected("`in`")
        return left

    def membership(self, left: Expr, first: _Token, place: Place | None) -> Expr:
        if not isinstance(left, Name):
            raise ExprError("the left side of `is` is a name", first.offset)
        if self.take("present"):
            return tree.Present(left, place=place)
        if self.take("absent"):
            return tree.Not(tree.Present(left, place=place), place=place)
        words = self.options(self.word) if self.now.text == "[" else (self.word(),)
        return tree.Is(left, cast(tuple[Name, ...], words), place=place)

    def options(self, item: object) -> tuple[Expr, ...]:
        assert callable(item)
        self.need("[")
        found = [item()]
        while self.take(","):
            found.append(item())
        self.need("]")
        return tuple(found)

    def word(self) -> Name:
        token = self.now
        if token.kind != "name":
            raise self.unexpected("a word")
        self.at += 1
        return Name(tuple(token.text.split(".")), place=self.place(token))

    def sum(self) -> Expr:
        first, expr = self.now, self.product()
        while token := self.take("+", "-"):
            self.count_operator(token)
            right = self.product()
            expr = tree.Arithmetic("+" if token.text == "+" else "-", expr, right, place=self.place(first))
        return expr

    def product(self) -> Expr:
        first, expr = self.now, self.atom()
        while token := self.take("*"):
            self.count_operator(token)
            expr = tree.Arithmetic("*", expr, self.atom(), place=self.place(first))
        return expr

    def atom(self) -> Expr:
        token, place = self.now, self.place(self.now)
        if self.take("("):
            expr = self.either()
            self.need(")")
            return expr
        if self.take("-"):
            self.count_operator(token)
            operand = self.atom()
            if isinstance(operand, Literal) and type(operand.value) is int:
                return Literal(-operand.value, operand.type, place=place)
            return tree.Arithmetic("*", Literal(-1, INT, place=place), operand, place=place)
        if token.kind == "word" and token.text in ("true", "false"):
            self.at += 1
            return Literal(token.text == "true", BOOL, place=place)
        if token.kind == "name":
            return self.word()
        if token.kind not in ("int", "duration", "string"):
            raise self.unexpected("a value")
        self.at += 1
        return self.literal(token, place)

    def literal(self, token: _Token, place: Place | None) -> Literal:
        if token.kind == "string":
            return Literal(re.sub(r"\\(.)", r"\1", token.text[1:-1]), STRING, place=place)
        if token.kind == "duration":
            try:
                return Literal(parse_duration(token.text), DURATION, place=place)
            except ValueError as error:
                raise ExprError(str(error), token.offset) from error
        if len(token.text) > 19 or int(token.text) > LARGEST_INT:
            raise ExprError(f"integers go up to {LARGEST_INT}", token.offset)
        return Literal(int(token.text), INT, place=place)
