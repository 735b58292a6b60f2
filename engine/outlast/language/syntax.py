"""What PyYAML says when a text is no YAML, in words for an author. Its two parsers word the same error differently."""

from __future__ import annotations

import re

import yaml

from outlast.language.source import Source

_QUOTES = "put a text with special characters in quotes"
_INDENT = "compare the indentation with the lines above"

# What the parser said (problem, then context) -> code, our words, hint, and whether the place is where the construct began.
_WORDS: tuple[tuple[str, str, str, str | None, bool], ...] = (
    ("mapping values are not allowed", "yaml-syntax", "`:` cannot stand here", "put a text with a colon in quotes, or check the indentation", False),
    (r"expected ',' or '\]'", "unclosed", "this `[` is not closed, or a comma is missing before {there}", None, True),
    (r"expected ',' or '\}'", "unclosed", "this `{{` is not closed, or a comma is missing before {there}", None, True),
    ("unexpected end of stream.*quoted", "unclosed", "this text has no closing quote", None, True),
    ("document indicator.*quoted", "unclosed", "this text has no closing quote", None, True),
    ("unknown escape|hexadecimal.*quoted|invalid Unicode.*quoted", "yaml-syntax", "no such escape in a text in double quotes", "in single quotes a backslash is a backslash", False),
    ("scanning an alias|while scanning an? anchor", "yaml-syntax", "`{char}` is a sign of YAML here", 'write it in quotes: `"*"`', True),
    (r"cannot start any token|cannot start a", "yaml-syntax", "a text cannot begin with `{char}`", _QUOTES, False),
    ("could not find expected ':'", "yaml-syntax", "this line has no `key:`", f"{_INDENT}, or write `key: value`", True),
    ("sequence entries are not allowed", "yaml-syntax", "`-` cannot stand here", "begin a list on a line of its own", False),
    ("mapping keys are not allowed", "yaml-syntax", "`?` cannot stand here", _QUOTES, False),
    ("tag", "tag", "a tag cannot be used", "`!` begins a tag in YAML: write `not`, or put the text in quotes", True),
    ("directive|%YAML|incompatible YAML", "directive", "directives cannot be used", "leave out the line that begins with `%`", False),
    ("document start", "yaml-syntax", "nothing can follow the end of the text", None, False),
    ("block scalar", "yaml-syntax", "a text begun with `|` or `>` continues on lines of its own, indented alike", _INDENT, False),
    ("block mapping|block collection|block sequence", "yaml-syntax", "this does not fit what stands above", f"{_INDENT}, and whether a quote or bracket is missing", False),
    ("flow node|flow mapping|flow sequence|parsing a node|parsing a block node", "yaml-syntax", "a value is missing, or `{char}` stands in its place", _QUOTES, False),
)  # fmt: skip


def report_yaml_error(source: Source, error: yaml.YAMLError) -> None:
    """Report what stopped the parser, in our words and at the place that helps most."""
    problem = str(getattr(error, "problem", None) or error)
    context = str(getattr(error, "context", None) or "")
    began = getattr(error, "context_mark", None)
    mark = getattr(error, "problem_mark", None) or began
    if mark is None:
        source.report("yaml-syntax", f"this is not YAML: {problem.splitlines()[0]}", source.place(0, 0))
        return
    said = f"{problem} {context}"
    fallback = ("", "yaml-syntax", f"this is not YAML: {problem}".replace("{", "{{"), None, False)
    _, code, words, hint, at_start = next((row for row in _WORDS if re.search(row[0], said)), fallback)
    where = began if at_start and began else mark
    line = source.line(where.line + 1)
    char = line[where.column : where.column + 1] or "the end of the line"
    if char in ("]", "}") and not at_start:
        words, hint = "this `{char}` closes nothing", None
    there = f"column {mark.column + 1}" if began and began.line == mark.line else f"line {mark.line + 1}"
    there = "the end of the file" if mark.line >= len(source.lines) - 1 else there
    source.report(code, words.format(char=char, there=there), source.place(where.line, where.column), hint)
