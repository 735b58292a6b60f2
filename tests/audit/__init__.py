"""Audits of logs, held against a generator that knows what it did."""
