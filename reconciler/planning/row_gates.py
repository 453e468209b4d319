"""Actions around the rows that stand in the way of a hop: ask for them, and run the code that takes them away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from reconciler.domain.commands import Backfill
from reconciler.domain.plan import Json
from reconciler.domain.release import Series, Span
from reconciler.domain.rule import Rule
from reconciler.planning.database_actions import database_to_json, databases_of, own_argv, schema
from reconciler.planning.edges import Edge, gates_of
from reconciler.planning.setting import Draft, MissingBuildError, Setting


def preflight_gates(setting: Setting, _: Mapping[str, object]) -> tuple[Draft, ...]:
    """Ask before anything is stopped for what would stop the leg's first hop, and the services at its end.

    Later hops meet other rows than there are now. Rows that the leg itself takes away, by running the backfill of the
    release it starts from, are asked for after that. What stops services may be gone by then, or be overruled by their
    configuration: to ask for it only advises.
    """
    if setting.start != setting.origin:
        return ()
    setting = replace(setting, service=setting.old or setting.service)
    first = [rule for rule in _rules(setting) if not _opened_by(rule, setting)]
    drafts = [draft for rule in first for draft in _gate(setting, rule, "before")]
    whole = replace(setting, goal=setting.stops[-1])
    warnings = [draft for rule in _rules(whole, stops="start") for draft in _gate(whole, rule, "before")]
    return (*drafts, *(replace(draft, advisory=True) for draft in warnings))


def gated_schema(setting: Setting, args: Mapping[str, object]) -> tuple[Draft, ...]:
    """Change the schema; before the first step of a hop, ask for the rows that would stop it."""
    drafts = schema(setting, args)
    first = next((place for place, draft in enumerate(drafts) if draft.kind == "schema_sync"), None)
    if first is None or args.get("mode", "sync") not in {"sync", "expand"}:
        return drafts
    gates = tuple(draft for rule in _rules(setting) for draft in _gate(setting, rule, "gate"))
    return (*drafts[:first], *gates, *drafts[first:])


def backfill(setting: Setting, args: Mapping[str, object]) -> tuple[Draft, ...]:
    """Run a release's online data migrations; `code` is goal, or start: that of the release a hop leaves.

    A release that is left was migrated to just before, so that what its code has to move is still there. Of the release
    that the leg starts from it is taken for done, unless a gate of the first hop wants it; one to which the leg had
    walked before a newer plan took it over is no such release.
    """
    leaving = args.get("code", "goal") == "start"
    at_stop = leaving and (setting.walked or setting.start != setting.origin)
    release = setting.start if leaving else setting.goal
    if leaving and not at_stop and not any(_opened_by(rule, setting) for rule in _rules(setting)):
        return ()
    command = _backfill(setting, release)
    if command is None:
        return ()
    if setting.build(release) is None:
        raise MissingBuildError(setting.service.name, release)
    opened = [rule for rule in _all_rules(setting) if _cures(rule, command, setting, release)]
    gates: list[Json] = [dict(draft.args) for rule in opened for draft in _gate(setting, rule, "gate")]
    return (
        Draft(
            kind="backfill",
            title=f"migrate rows online with {release}'s code until nothing is left",
            key=f"backfill.{release}",
            args={
                "service": setting.service.name,
                "release": release,
                "argv": own_argv(setting, command.argv, release),
                "ended": [*command.done, *(command.stopped if at_stop else ())],
                "more": list(command.more),
                "opens": gates,
            },
        ),
    )


def _rules(setting: Setting, stops: str = "sync") -> tuple[Rule, ...]:
    component = setting.catalog.service(setting.service.component)
    return gates_of(Edge(component, component.at(setting.start), component.at(setting.goal)), stops)


def _all_rules(setting: Setting) -> tuple[Rule, ...]:
    return tuple(rule for rule in setting.catalog.service(setting.service.component).rules if rule.rows)


def _backfill(setting: Setting, release: str) -> Backfill | None:
    return setting.catalog.service(setting.service.component).at(release).commands.backfill


def _opened_by(rule: Rule, setting: Setting) -> bool:
    """Say whether the backfill of the release that a hop leaves takes a rule's rows away, and can be run."""
    command, builds = _backfill(setting, setting.start), setting.service.builds
    if command is None or not (setting.start in builds or "*" in builds):
        return False
    return _cures(rule, command, setting, setting.start)


def _cures(rule: Rule, command: Backfill, setting: Setting, release: str) -> bool:
    series = setting.catalog.service(setting.service.component).series
    able = rule.cured_by or rule.met_by
    return rule.cure == command.argv and (able is None or series.find(release).index in able)


def _gate(setting: Setting, rule: Rule, word: str) -> Iterator[Draft]:
    databases = dict(databases_of(setting))
    series = setting.catalog.service(setting.service.component).series
    for number, probe in enumerate(rule.rows, start=1):
        if probe.database not in databases:
            continue
        args: dict[str, Json] = {
            "service": setting.service.name,
            "rule": rule.id,
            "database": database_to_json(databases[probe.database]),
            "probe": {"database": probe.database, "sql": probe.sql, "key": probe.key, "tables": list(probe.tables)},
            "reason": rule.reason,
            "meet": rule.meet,
            "cure": list(rule.cure),
            "cured_by": _words(rule.cured_by or rule.met_by, series) if rule.cure else "",
        }
        title = f"see that no row of {probe.database} stands in the way ({rule.id})"
        yield Draft(kind="row_gate", title=title, key=f"{word}.{setting.goal}.{rule.id}.{number}", args=args, asks=True)


def _words(span: Span | None, series: Series) -> str:
    """Name the releases of a stretch: `newton`, `pike to train`, `stein or later`."""
    if span is None:
        return ""
    first = series.releases[span.low].id
    if span.high is None:
        return f"{first} or later"
    last = series.releases[span.high].id
    return first if first == last else f"{first} to {last}"
