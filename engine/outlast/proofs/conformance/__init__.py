"""Conformance tables: the document as cases, held against any implementation.

cases      the canonical case
grammar    its form, and the JSON Schema
tables     CSV and Markdown as another way to write it
reading    files -> suites -> cases fitted to a plan
protocol   what an implementation is asked and answers
runners    the implementations in this process
strangers  those behind a pipe or HTTP
matching   claims against observations
judging    results, and what they come to
"""
