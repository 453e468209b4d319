"""`reconciler catalog`: looks for what is wrong with the catalog, and shows what it says of a service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

from reconciler.catalog.load import load_catalog
from reconciler.cli.output import Format, Output, add_row, print_lines, say, table, write_data
from reconciler.domain.catalog import Service, ServiceRelease
from reconciler.domain.marker import Marker
from reconciler.domain.rule import Rule, RuleKind
from reconciler.errors import ReconcilerError
from reconciler.planning.arrows import partner_of
from reconciler.planning.edges import edges_of
from reconciler.planning.lint import Finding, lint

catalog = typer.Typer(help="What is known of releases and services.", no_args_is_help=True)
Site = typer.Option(None, "--site", help="A desired state, or its folder `catalog`, whose additions count as well.")


@catalog.callback()
def root() -> None:
    """What is known of releases and services."""


@catalog.command("lint")
def lint_command(site: Path | None = Site, output: Format = Output) -> None:
    """Look for what is wrong with the catalog.

    Exit 1 when something is.
    """
    known = load_catalog(documents_of(site))
    found = lint(known)
    counts = {"services": len(known.services), "rules": sum(len(each.rules) for each in known.services.values())}
    if output is Format.TABLE:
        show_findings(found, counts)
    else:
        write_data({**counts, "findings": [_finding(each) for each in found]}, output)
    raise typer.Exit(1 if found else 0)


@catalog.command("show")
def show_command(
    service: str = typer.Argument(help="A service of the catalog, such as nova."),
    site: Path | None = Site,
    output: Format = Output,
) -> None:
    """Show the releases of a service, what each leaves in its databases, and every hop between them."""
    known = load_catalog(documents_of(site)).service(service)
    said = to_json(known)
    if output is Format.TABLE:
        show_service(said)
    else:
        write_data(said, output)


def documents_of(site: Path | None) -> Sequence[Mapping[str, Any]]:
    """Read what a site adds to the catalog; raises ReconcilerError."""
    if site is None:
        return ()
    import yaml

    folder = site / "catalog" if (site / "catalog").is_dir() else site
    if not folder.is_dir():
        hint = "Name a desired state, or its folder catalog."
        raise ReconcilerError(f"{site} is no folder", reason="SourceInvalid", hint=hint)
    documents = []
    for file in sorted(folder.glob("*.yaml")):
        try:
            documents.append(yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader))
        except (OSError, UnicodeError, yaml.YAMLError) as error:
            hint = "`reconciler validate` names the place."
            raise ReconcilerError(f"{file} cannot be read: {error}", reason="SourceInvalid", hint=hint) from error
        if not isinstance(documents[-1], dict):
            hint = "See docs/reference/catalog.md for its forms."
            raise ReconcilerError(f"{file} does not hold a mapping", reason="SourceInvalid", hint=hint)
    return documents


def show_findings(found: Sequence[Finding], counts: Mapping[str, int]) -> None:
    """Write findings for people."""
    if not found:
        say(f"nothing is wrong with {counts['rules']} rules of {counts['services']} services", "green")
        return
    rows = table("service", "check", "subject", "what is wrong")
    for each in found:
        add_row(rows, (each.service, each.check, each.subject, each.text))
    print_lines(rows)


def _finding(each: Finding) -> dict[str, str]:
    return {"service": each.service, "check": each.check, "subject": each.subject, "text": each.text}


# ---------------------------------------------------------------- show


def to_json(service: Service) -> dict[str, Any]:
    """Return what the catalog says of a service in the shape of the `catalog` contract."""
    return {
        "service": service.name,
        "series": service.series.name,
        "releases": [_release(each) for each in service.releases],
        "edges": [
            {"from": each.start, "to": each.goal, "verdict": each.verdict, "rule": each.rule, "text": each.text}
            for each in edges_of(service)
        ],
        "rules": [
            {
                "id": rule.id,
                "kind": rule.kind.value,
                "text": rule.reason,
                "source": rule.source,
                "verified": rule.verified.value,
                "partner": partner_of(rule),
                "asks": _asks(rule),
            }
            for rule in service.rules
        ],
        "notes": [{"id": note.id, "text": note.text, "source": note.source} for note in service.notes],
    }


def _asks(rule: Rule) -> dict[str, str]:
    """Return what a rule asks of another component, as names of releases."""
    if rule.needs:
        return {rule.needs.when: rule.needs.release}
    if rule.excludes:
        return {key: name for key in ("first", "last") if (name := getattr(rule.excludes, key))}
    return dict(rule.skew.oldest) if rule.skew else {}


def _asked(rule: Mapping[str, Any]) -> str:
    word = "oldest beside " if rule["kind"] == RuleKind.SKEW else ""
    said = ", ".join(f"{word}{key}: {name}" for key, name in rule["asks"].items())
    return f"({said}) " if said else ""


def _release(each: ServiceRelease) -> dict[str, Any]:
    return {
        "id": each.release.id,
        "codename": each.release.codename,
        "slurp": each.release.slurp,
        "first": each.first_version,
        "final": each.final_version,
        "python": each.python_requires,
        "markers": {name: [_marker(marker) for marker in markers] for name, markers in each.schema.items()},
    }


def _marker(marker: Marker) -> dict[str, Any]:
    return {"alembic": sorted(marker.alembic), "migrate": dict(marker.migrate), "until": marker.until}


def show_service(said: Mapping[str, Any]) -> None:
    """Write what is known of a service for people."""
    say(f"{said['service']}, series {said['series']}", "bold")
    databases = list(dict.fromkeys(name for each in said["releases"] for name in each["markers"]))
    rows = table("release", "package", *databases)
    for each in said["releases"]:
        name = each["id"] if each["id"] == each["codename"] else f"{each['id']} {each['codename']}"
        versions = f"{each['first']} to {each['final']}" if each["final"] else ""
        markers = [[_words(marker) for marker in each["markers"].get(database, ())] for database in databases]
        add_row(rows, (f"{name}{' (SLURP)' if each['slurp'] else ''}", versions, *markers))
    print_lines(rows)
    say("")
    _show_edges(said["edges"])
    for rule in said["rules"]:
        if rule["partner"]:
            say(f"{rule['kind']} {rule['partner']}: {rule['text']} {_asked(rule)}[{rule['id']}]")
    for note in said["notes"]:
        say(f"note {note['id']}: {note['text']}")


def _words(marker: Mapping[str, Any]) -> str:
    rows = [f"{name} {version}" for name, version in marker["migrate"].items()]
    until = f" (up to {marker['until']})" if marker["until"] else ""
    return ", ".join([*marker["alembic"], *rows]) + until


def _show_edges(edges: Sequence[Mapping[str, str]]) -> None:
    """Write the hops of each release: goals of one verdict by one rule stand in one line."""
    rows = table("from", "to", "verdict", "why")
    grouped: dict[tuple[str, str, str], list[Mapping[str, str]]] = {}
    for each in edges:
        grouped.setdefault((each["from"], each["verdict"], each["rule"]), []).append(each)
    for (start, verdict, rule), members in grouped.items():
        goals = ", ".join(each["to"] for each in members)
        add_row(rows, (start, goals, verdict, f"{members[0]['text']} [{rule}]" if len(members) == 1 else f"[{rule}]"))
    print_lines(rows)
