"""Releases, hop rules, schema markers and procedures as data, and their loader."""
