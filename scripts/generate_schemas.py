#!/usr/bin/env python3
"""Writes schemas/*.json, and the tables of the desired state's reference page, which are made from the same models."""

from __future__ import annotations

from pathlib import Path

from reconciler.cli.schema import all_schemas
from reconciler.desired.reference import with_tables

HOME = Path(__file__).resolve().parent.parent


def main() -> None:
    """Write every file."""
    (HOME / "schemas").mkdir(exist_ok=True)
    for name, text in all_schemas().items():
        (HOME / "schemas" / name).write_text(text, encoding="utf-8")
    page = HOME / "docs" / "reference" / "desired-state.md"
    page.write_text(with_tables(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
