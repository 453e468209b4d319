"""Moves a fleet of machines from release to release, one safe hop at a time."""

__version__ = "0.1.0"
