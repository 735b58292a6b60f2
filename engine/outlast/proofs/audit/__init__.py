"""Audits: a log of what really happened, held against what the document allows.

grammar    the form of a mapping, and the JSON Schema
mapping    file -> mapping fitted to a plan: what a line of the log says
lines      a stream of bytes -> numbered lines, whatever they hold
envelopes  a line -> CloudEvents 1.0 or EventBridge
decoding   an envelope -> what happened, to which instance
window     duplicates, disorder, lines that come too late, clocks that leap
moves      whether the document allows what was seen
findings   what an audit reports
auditor    the model of what the log has told so far
auditing   all of it, in one pass
"""
