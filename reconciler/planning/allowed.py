"""Holds commands of the desired state against the programs that the daemon's machine allows."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from reconciler.domain.desired import Desired
from reconciler.domain.plan import Block
from reconciler.domain.probe import CommandProbe
from reconciler.domain.reasons import TEXTS, Reason


def commands_refused(desired: Desired, allowed: Collection[str] | None) -> tuple[Block, ...]:
    """Return a block for each command whose first word, as written, is not allowed; None allows every one."""
    if allowed is None:
        return ()
    hint = TEXTS[Reason.COMMAND_NOT_ALLOWED][1]
    return tuple(
        Block(str(Reason.COMMAND_NOT_ALLOWED), f"{where}: {program} may not be run by this daemon", hint)
        for where, program in _programs(desired)
        if program not in allowed
    )


def _exposing(document: Mapping[str, object]) -> Iterator[str]:
    """Yield the programs that rules of a site's own catalog ask the fleet by."""
    rules = document.get("rules")
    for rule in rules if isinstance(rules, list | tuple) else ():
        exposed = rule.get("exposed") if isinstance(rule, Mapping) else None
        command = exposed.get("command") if isinstance(exposed, Mapping) else None
        if isinstance(command, list | tuple) and command:
            yield str(command[0])


_NAMED = frozenset({"program", "ovs_ctl"})


def _programs(desired: Desired) -> Iterator[tuple[str, str]]:
    """Yield where a command stands, and its first word."""
    for service in desired.services.values():
        for tool, argv in service.commands.items():
            yield f"service {service.name}, commands.{tool}", argv[0]
    commands = (each for each in desired.probes.values() if isinstance(each, CommandProbe))
    yield from ((f"probe {each.name}", each.argv[0]) for each in commands)
    for document in desired.catalog:
        yield from ((f"catalog, service {document.get('service')}", program) for program in _exposing(document))
    for procedure in desired.procedures.values():
        steps = ((f"phase {phase.phase}", spec) for phase in procedure.phases for spec in phase.steps)
        watches = ((f"watch {watch.name}", watch.probe) for watch in procedure.watches)
        for where, spec in (*steps, *watches):
            words = spec.args.get("argv")  # of a command, and of whatever else asks by one
            if isinstance(words, list | tuple) and words:
                yield f"procedure {procedure.name}, {where}", str(words[0])
            for argv in (spec.cuts_link.revert, spec.cuts_link.again) if spec.cuts_link else ():
                yield from ((f"procedure {procedure.name}, {where}, cuts_link", program) for program in argv[:1])
            for key in _NAMED & set(spec.args):  # where a kind lets a site say which program it calls
                yield f"procedure {procedure.name}, {where}", str(spec.args[key])
