"""Every code of a problem that reading a text can find. Codes are stable: clients match on them."""

from __future__ import annotations

CODES: dict[str, str] = {
    # the file
    "missing-file": "no such file",
    "unreadable-file": "the file cannot be read",
    "outside-folder": "a file that is not in the folder of the system",
    "wrong-file": "the file of one machine holds another",
    "empty-file": "nothing in the file",
    "too-large": "more bytes than are read",
    "not-utf-8": "a byte that is not UTF-8",
    "control-character": "a character that cannot be seen",
    "tab": "a tab, which has no fixed width",
    # YAML
    "yaml-syntax": "not YAML",
    "unclosed": "a bracket, brace or quote without its end, or a missing comma",
    "several-documents": "more than one document in a file",
    "directive": "a line that begins with `%`",
    "anchor": "`&name`",
    "alias": "`*name`",
    "tag": "`!name`",
    "complex-key": "a key that is not one word",
    "duplicate-key": "the same key twice in one mapping",
    "too-deep": "mappings and lists nested too deep",
    "too-many-problems": "the rest of the problems is left out",
    # keys
    "unknown-key": "a key the language does not know here",
    "missing-key": "a key that is required here",
    "misplaced-key": "a key that has no meaning beside the others",
    # kinds
    "wrong-kind": "a mapping, list, text or number where another kind is wanted",
    "empty-value": "nothing where something is wanted",
    "unknown-word": "none of the few words that can stand here",
    "bad-name": "a name of another form",
    "reserved-name": "a name that is a word of the language",
    "duplicate-item": "the same twice in one list",
    "too-many": "more than one where only one can stand",
    "not-whole": "a number with a fraction",
    # values
    "bad-expression": "not a guard or value",
    "bad-duration": "not a duration",
    "unit-missing": "a number where a duration is wanted",
    # records
    "missing-type": "a declaration without a type",
    "two-types": "a declaration with `type` and `enum`",
    "two-kinds": "a state of two kinds at once",
    "two-triggers": "a transition with two triggers",
    "refusal-with-effect": "a refusal that changes something",
    "refusal-without-event": "a refusal of nothing",
    "unknown-action": "an action the language does not know",
    "missing-action": "an action that says nothing to do",
    "two-actions": "two actions in one",
    "mixed-blocks": "actions and lists of actions in one list",
    "missing-claim": "a property that claims nothing",
    "two-claims": "a property that claims two things",
    "missing-instance": "a step or expectation about no instance",
}
