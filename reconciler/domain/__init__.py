"""Frozen nouns, without a clock."""
