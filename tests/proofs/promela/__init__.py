"""Models for Spin."""
