"""Guards and values: one small typed language.

tree      the nodes: as parsed (`Name`, `Is`) and, once resolved, what they read (`Field`, `Far`, `Inside` …)
parse     text -> tree
resolve   names -> what they mean, types checked
evaluate  tree -> a function of a `Context`
render    tree -> text
account   which leaves decided a verdict, with the values they saw

Author text is never evaluated as Python. Arithmetic is linear and every type is known before anything runs.
"""

from outlast.expr.account import Leaf, account
from outlast.expr.evaluate import Context, Seen, Unanswerable, compiled
from outlast.expr.parse import ExprError, parse
from outlast.expr.render import render, show
from outlast.expr.resolve import Scope, Target, resolve, resolve_as
from outlast.expr.tree import (
    ANY,
    BOOL,
    DURATION,
    INT,
    STRING,
    Expr,
    Type,
    Value,
    leaves,
    may_be_absent,
    type_of,
)

__all__ = [
    "ANY",
    "BOOL",
    "DURATION",
    "INT",
    "STRING",
    "Context",
    "Expr",
    "ExprError",
    "Leaf",
    "Scope",
    "Seen",
    "Target",
    "Type",
    "Unanswerable",
    "Value",
    "account",
    "compiled",
    "leaves",
    "may_be_absent",
    "parse",
    "render",
    "resolve",
    "resolve_as",
    "show",
    "type_of",
]
