#!/usr/bin/env python3
"""Converts a survey of releases (catalog.json) into the release lines of the catalog's YAML.

Used once per service; the rules, eras and notes beside the lines are written and reviewed by hand.

    import_catalog.py catalog.json series
    import_catalog.py catalog.json service keystone
    import_catalog.py catalog.json accepts keystone     # what the tests compare verdicts with
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any


def main(argv: list[str] | None = None) -> int:
    """Print what the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("survey", type=Path)
    parser.add_argument("what", choices=["series", "service", "accepts"])
    parser.add_argument("name", nargs="?", default="")
    given = parser.parse_args(argv)
    survey = json.loads(given.survey.read_text("utf-8"))
    if given.what == "series":
        lines = series_lines(survey)
    elif given.what == "service":
        lines = service_lines(survey, given.name)
    else:
        lines = iter([json.dumps(accepts(survey, given.name), indent=1)])
    sys.stdout.writelines(line + "\n" for line in lines)
    return 0


def series_lines(survey: Mapping[str, Any]) -> Iterator[str]:
    """Yield one YAML line per release of the series."""
    for release in survey["releases"]:
        slurp = ", slurp: true" if release["slurp"] else ""
        aliases = "" if release["calendar_version"] == release["id"] else _aliases(release["calendar_version"])
        yield f"  - {{id: {_text(release['id'])}, codename: {release['name']}{aliases}{slurp}}}"


def service_lines(survey: Mapping[str, Any], service: str) -> Iterator[str]:
    """Yield the YAML of a service's releases."""
    facts = survey["services"][service]["releases"]
    for release in survey["releases"]:
        if release["name"] not in facts:
            continue
        fact = facts[release["name"]]
        version, python = fact["version"], fact["python"]
        tested = ", ".join(_text(each) for each in python["classifiers"])
        requires = f"requires: {_text(python['requires'])}, " if python["requires"] else ""
        yield f"  - id: {_text(release['id'])}"
        yield f"    package: {{first: {_text(version['first'])}, final: {_text(version['final'])}}}"
        yield f"    deb: {_text(fact['packages']['ubuntu']['version_prefix'])}"
        yield f"    python: {{{requires}tested: [{tested}]}}"
        yield "    databases:"
        for name, database in fact["databases"].items():
            yield from _database_lines(name, database, fact["schema_changes_within_series"], version["all"])


def accepts(survey: Mapping[str, Any], service: str) -> dict[str, dict[str, str]]:
    """Return, per goal and start, what the goal's tool does with the start's schema."""
    ids = {release["name"]: release["id"] for release in survey["releases"]}
    facts = survey["services"][service]["releases"]
    return {
        ids[goal]: {ids[start]: seen["schema"] for start, seen in fact["accepts_from"].items()}
        for goal, fact in facts.items()
    }


def _database_lines(
    name: str, database: Mapping[str, Any], changes: list[Mapping[str, Any]], versions: list[str]
) -> Iterator[str]:
    first = database.get("value_at_first_release")
    if not first:
        yield f"      {name}: {_marker(database['value'])}"
        return
    changed = min(versions.index(change["version"]) for change in changes)
    yield f"      {name}:"
    yield f"        {_marker(database['value'])[1:-1]}"
    yield "        earlier:"
    yield f"          - {{until: {_text(versions[changed - 1])}, {_marker(first['value'])[1:-1]}}}"


def _marker(value: dict[str, int] | list[str] | str) -> str:
    if isinstance(value, dict):
        rows = ", ".join(f"{row}: {number}" for row, number in sorted(value.items()))
        return f"{{migrate: {{{rows}}}}}"
    heads = value if isinstance(value, list) else [value]
    return f"{{alembic: [{', '.join(_text(head) for head in heads)}]}}"


def _aliases(name: str) -> str:
    return f", aliases: [{_text(name)}]"


def _text(scalar: str) -> str:
    """Quote what YAML could take for something other than text."""
    return scalar if scalar.replace("-", "").isalpha() else json.dumps(scalar)


if __name__ == "__main__":
    raise SystemExit(main())
