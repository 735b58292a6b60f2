"""Tests of running machines."""
