"""Releases, hop rules, schema markers and procedures, as data, and what loads them."""

from reconciler.catalog.load import build_catalog, load_catalog

__all__ = ["build_catalog", "load_catalog"]
