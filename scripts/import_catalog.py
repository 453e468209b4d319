#!/usr/bin/env python3
"""Converts a survey of releases (catalog.json) into the release lines of the catalog's YAML.

Used once per service; the rules, eras and notes beside the lines are written and reviewed by hand.

    import_catalog.py catalog.json series
    import_catalog.py catalog.json service keystone
    import_catalog.py catalog.json backfills nova        # its online data migrations
    import_catalog.py catalog.json accepts keystone     # what the tests compare verdicts with
    import_catalog.py catalog.json routes               # what they compare routes with
    import_catalog.py catalog.json collapses            # and the points where old migrations went
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROWS = {"Glance": "Glance Migrations"}
"""Rows of migrate_version that the survey calls otherwise."""


def main(argv: list[str] | None = None) -> int:
    """Print what the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("survey", type=Path)
    parser.add_argument("what", choices=["series", "service", "backfills", "accepts", "routes", "collapses"])
    parser.add_argument("name", nargs="?", default="")
    given = parser.parse_args(argv)
    survey = json.loads(given.survey.read_text("utf-8"))
    if given.what == "series":
        lines = series_lines(survey)
    elif given.what == "service":
        lines = service_lines(survey, given.name)
    elif given.what == "backfills":
        lines = backfill_lines(survey, given.name)
    elif given.what == "routes":
        lines = iter([json.dumps(routes(survey), indent=1)])
    elif given.what == "collapses":
        lines = iter([json.dumps(collapses(survey), indent=1)])
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
        yield from _image_lines(fact["packages"].get("kolla"))
        yield "    databases:"
        for name, database in fact["databases"].items():
            yield from _database_lines(name, database, fact["schema_changes_within_series"], version["all"])


def backfill_lines(survey: Mapping[str, Any], service: str) -> Iterator[str]:
    """Yield one YAML line per stretch of releases whose code holds an online data migration, oldest first."""
    order = [release["name"] for release in survey["releases"]]
    ids = {release["name"]: _text(release["id"]) for release in survey["releases"]}
    facts = survey["services"][service]["releases"]
    holders = {
        name: set((facts[name].get("online_data_migrations") or {}).get("functions", ()))
        for name in order
        if name in facts
    }
    ranges = {
        function: [place for place, held in enumerate(holders.values()) if function in held]
        for function in sorted(set().union(*holders.values()))
    }
    names = list(holders)
    for function, (first, *_, last) in sorted(
        ((f, [r[0], *r]) for f, r in ranges.items()), key=lambda each: each[1][0]
    ):
        end = f", last: {ids[names[last]]}" if last < len(names) - 1 else ""
        yield f"  - {{name: {function}, first: {ids[names[first]]}{end}}}"


def accepts(survey: Mapping[str, Any], service: str) -> dict[str, dict[str, str]]:
    """Return, per goal and start, the survey's verdict on the hop and what the goal's tool does with the schema."""
    ids = {release["name"]: release["id"] for release in survey["releases"]}
    facts = survey["services"][service]["releases"]
    return {
        ids[goal]: {ids[start]: f"{seen['verdict']} {seen['schema']}" for start, seen in fact["accepts_from"].items()}
        for goal, fact in facts.items()
    }


def routes(survey: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the survey's shortest ways that the code allows: how many there are, and at most six of them."""
    ids = {release["name"]: release["id"] for release in survey["releases"]}
    return [
        {
            "service": service,
            "from": ids[found["starts_at"]],
            "to": ids[route["to"]],
            "ways": found["n_shortest"],
            "some": [" ".join(ids[stop] for stop in way) for way in found["shortest_code_legal"]],
        }
        for route in survey["routes"]
        for service, found in route["services"].items()
    ]


def collapses(survey: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the points where old migrations went: the release that took them away, and the oldest that it takes."""
    ids = {release["name"]: release["id"] for release in survey["releases"]}
    return [
        {"service": point["service"], "to": ids[point["release"]], "from": ids[point["lowest_accepted_release"]]}
        for point in survey["collapse_points"]
        if point["lowest_accepted_release"] in ids
    ]


def _image_lines(kolla: Mapping[str, Any] | None) -> Iterator[str]:
    if kolla:
        name = kolla["image_pattern"].removesuffix(":<tag>")
        yield f"    images: {{name: {json.dumps(name)}, tag: {_text(kolla['tag'])}}}"


def _database_lines(
    name: str, database: Mapping[str, Any], changes: list[Mapping[str, Any]], versions: list[str]
) -> Iterator[str]:
    """Yield the marker, the other one that staged commands leave, and the earlier ones, oldest first."""
    others = list(_earlier(database, changes, versions))
    staged = database.get("value_after_expand_contract")
    if not others and not staged:
        yield f"      {name}: {_marker(database['value'])}"
        return
    yield f"      {name}:"
    yield f"        {_marker(database['value'])[1:-1]}"
    if staged:
        yield f"        also: [{_marker(staged)}]"
    if others:
        yield "        earlier:"
        yield from (f"          - {{until: {_text(until)}, {_marker(value)[1:-1]}}}" for until, value in others)


def _earlier(
    database: Mapping[str, Any], changes: list[Mapping[str, Any]], versions: list[str]
) -> Iterator[tuple[str, Any]]:
    """Yield the last version with each earlier value; a change of migrate counts in one repository, given as number."""
    first = database.get("value_at_first_release")
    if not first:
        return
    ours = [change for change in changes if f"{change['path']}/versions" in database["source"]]
    by_version = {change["version"]: change for change in sorted(ours, key=lambda c: versions.index(c["version"]))}
    value = first["value"]
    for version, change in by_version.items():
        yield versions[versions.index(version) - 1], value
        value = change["value"] if isinstance(change["value"], list) else dict.fromkeys(value, change["value"])


def _marker(value: dict[str, int] | list[str] | str) -> str:
    if isinstance(value, dict):
        rows = ", ".join(f"{ROWS.get(row, row)}: {number}" for row, number in sorted(value.items()))
        return f"{{migrate: {{{rows}}}}}"
    heads = value if isinstance(value, list) else [value]
    return f"{{alembic: [{', '.join(_text(head) for head in heads)}]}}"


def _aliases(name: str) -> str:
    return f", aliases: [{_text(name)}]"


def _text(scalar: str) -> str:
    """Quote what YAML could take for something other than text."""
    plain = scalar.replace("-", "").isalpha() and scalar not in {"yes", "no", "on", "off", "true", "false", "null"}
    return scalar if plain else json.dumps(scalar)


if __name__ == "__main__":
    raise SystemExit(main())
