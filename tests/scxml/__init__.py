"""SCXML documents, and the W3C's tests for them."""
