"""Reads the desired state from YAML with positions; pure."""
