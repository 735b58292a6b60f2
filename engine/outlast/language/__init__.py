"""Text <-> model.

source       the characters of a file: limits, encoding, and the problems found in them
syntax       what a YAML parser says, in our words
nodes        strict YAML: text -> nodes that know their place, and comments
shapes       the vocabulary of the grammar
grammar      the language as one table
expressions  guards, values and durations
reader       nodes -> values, checked against the grammar
build        values -> model
files        files and folders -> model
unbuild      model -> nodes
drafts       nodes and comments -> what is to be written, in order
layout       drafts -> lines
writer       model or text -> canonical text
values       model -> JSON and back, for what no text says
schema       the grammar as a JSON Schema
codes        every code of a problem in a text, and what it means
"""

from outlast.language.codes import CODES
from outlast.language.files import (
    SystemFile,
    SystemRead,
    is_scenario,
    read_clauses,
    read_machine,
    read_scenario,
    read_stream,
    read_system,
    read_system_file,
    read_system_files,
)

__all__ = [
    "CODES",
    "SystemFile",
    "SystemRead",
    "is_scenario",
    "read_clauses",
    "read_machine",
    "read_scenario",
    "read_stream",
    "read_system",
    "read_system_file",
    "read_system_files",
]
