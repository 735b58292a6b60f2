"""The tests, laid out as the package is. What several files share is imported as `tests.…`."""
