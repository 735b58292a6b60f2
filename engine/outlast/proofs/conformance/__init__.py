"""Conformance tables: the document as cases, held against any implementation.

cases      the canonical case
grammar    its form, and the JSON Schema
tables     CSV and Markdown as another way to write it
reading    files -> suites -> cases fitted to a plan
protocol   what an implementation is asked and answers
runners    our own ways to run a case
library    `transitions` as another
strangers  implementations behind a pipe or HTTP
implementations  any of them, by the word that asks for it
matching   claims against observations
judging    results, and what they come to
"""
