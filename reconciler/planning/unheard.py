"""Runs that hosts keep steps of and the journal has not begun: its store is older than the fleet, or new. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from reconciler.domain.reasons import Reason
from reconciler.domain.run import History, Run
from reconciler.domain.verdict import Decision, State
from reconciler.planning.decision import ruling
from reconciler.planning.scene import Scene, groups_of, hosts_of_service

SHOWN = 5
"""How many hosts are named."""


def number_of(run: str) -> int:
    """Return the number at the end of a run's id, 0 without one."""
    number = run.rpartition("-")[2]
    return int(number) if number.isdecimal() else 0


def newest(runs: Iterable[str]) -> str:
    """Return the run of the highest number, empty without one."""
    return max(runs, key=number_of, default="")


def unheard(seen: Mapping[str, str], history: History) -> dict[str, str]:
    """Return, by host, the newest run that was found there where the journal has not begun so many."""
    return {host: run for host, run in seen.items() if number_of(run) > history.begun}


def behind(group: str, run: Run | None, scene: Scene) -> Decision | None:
    """Block a group on whose hosts there are such runs: nobody here knows what they did, or still do."""
    services = [scene.desired.services[name] for name in groups_of(scene.desired).get(group, ())]
    hosts = {host for service in services for host in hosts_of_service(service)}
    hosts |= {step.host for step in run.steps} if run else set()
    found = {host: name for host, name in scene.unheard.items() if host in hosts}
    if not found:
        return None
    last = newest(found.values())
    where = ", ".join(sorted(host for host, name in found.items() if name == last)[:SHOWN])
    begun = f"the newest run of the journal is number {scene.history.begun}" if scene.history.begun else "it knows none"
    text = f"the journal has never heard of run {last}, whose steps are kept on {where}: {begun}"
    decision = ruling(group, State.BLOCKED, Reason.JOURNAL_BEHIND, text, run.id if run else "")
    hint = decision.verdict.hint.replace("RUN", last)
    return replace(decision, verdict=replace(decision.verdict, hint=hint))
