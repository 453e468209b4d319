#!/usr/bin/env python3
"""Writes what is made from the models of the desired state: schemas/*.json and the tables of its reference page."""

from __future__ import annotations

from pathlib import Path

from reconciler.desired.reference import with_tables
from reconciler.desired.schema import schema_files

HOME = Path(__file__).resolve().parent.parent


def main() -> None:
    """Write every generated file of this room."""
    (HOME / "schemas").mkdir(exist_ok=True)
    for name, text in schema_files().items():
        (HOME / "schemas" / name).write_text(text, encoding="utf-8")
    page = HOME / "docs" / "reference" / "desired-state.md"
    page.write_text(with_tables(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
