"""`reconciler rollback`: writes the commit that takes a release back, on a branch, and shows what its merge will do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from reconciler.cli import world
from reconciler.cli.output import Config, Format, Output, add_row, note, print_lines, say, table, write_data
from reconciler.errors import DesiredStateError, JournalError, ReconcilerError, SourceError

if TYPE_CHECKING:
    from reconciler.domain.desired import Desired
    from reconciler.planning.durations import Durations
    from reconciler.planning.preview import Preview
    from reconciler.planning.stops_back import StopBack


@dataclass(frozen=True, slots=True)
class Told:
    """What the daemon's journal says: the plan that a merge brings, and the releases that may be gone back to."""

    plan: Preview
    durations: Durations
    stops: tuple[StopBack, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Advance:
    """The newest commit that changed a service's release, and what it changed."""

    commit: str
    before: str
    after: str


def rollback(
    service: str = typer.Argument(help="The service whose newest change of release is to be taken back."),
    repo: Path = typer.Option(Path(), help="A clone of the desired-state repository."),
    revision: str = typer.Option("HEAD", help="The commit to build upon: the branch that the daemon follows."),
    path: str = typer.Option("", help="Where fleet.yaml lies in the repository; default: its root."),
    branch: str = typer.Option("", help="The name of the new branch; default: rollback-SERVICE-to-RELEASE."),
    output: Format = Output,
    config: Path | None = Config,
) -> None:
    """Write the commit that takes a release back, on a new branch.

    It never goes round git: push the branch, have it reviewed and merge it. What the daemon will do then is told from
    its journal, where it can be read. The working tree stays as it is.
    """
    from reconciler.adapters.git_revert import write_revert

    advance = _advance(service, repo, revision, path.strip("/"))
    branch = branch or f"rollback-{service}-to-{advance.before}"
    made = write_revert(repo, advance.commit, revision, branch)
    desired = _reverted(service, advance, repo, made, path)
    told = _told(service, desired, config)
    if output is Format.TABLE:
        _show(service, advance, branch, made)
        _show_answer(told)
    else:
        write_data(_to_json(service, advance, (branch, made), told), output)


def _advance(service: str, repo: Path, revision: str, path: str) -> Advance:
    """Find the newest commit that changed the release; raises SourceError when there is none that can be read."""
    from reconciler.adapters.git_revert import changes

    after = _release(service, repo, revision, path)
    if not after:
        raise _refused(f"{revision} has no service {service}", "`reconciler status` lists the services.")
    for commit, parent in changes(repo, revision, path):
        before = _release(service, repo, parent, path)
        if before and before != after:
            return Advance(commit=commit, before=before, after=after)
        if not before:
            text = f"{commit[:12]} brought service {service}; there is no older release of it in git"
            raise _refused(text, "Write the release that you want into the service, and commit it.")
    raise _refused(f"no commit before {revision} has another release of {service}", "Look further with `git log`.")


def _release(service: str, repo: Path, revision: str, path: str) -> str:
    """Return the release of a service in a commit, empty where it is not there; raises SourceError."""
    try:
        desired = world.read_commit(repo, revision, path)
    except DesiredStateError as error:
        text = f"the desired state in {revision[:12]} is invalid, so nobody can say what to return to"
        raise _refused(text, "Revert by hand: `git revert`.") from error
    found = desired.services.get(service)
    return found.release if found is not None else ""


def _reverted(service: str, advance: Advance, repo: Path, made: str, path: str) -> Desired:
    """Read the desired state after the revert; raises SourceError when it does not say what was wanted."""
    desired = world.read_commit(repo, made, path)
    release = desired.services[service].release if service in desired.services else "none"
    if release != advance.before:
        text = f"after the revert of {advance.commit[:12]} the release of {service} is {release}, not {advance.before}"
        raise _refused(text, "The branch was left for you to look at; write the release by hand.")
    return desired


def _told(service: str, desired: Desired, config: Path | None) -> Told | str:
    """Ask the daemon's journal what the merge will do, or say why that cannot be told."""
    from reconciler.catalog.load import load_catalog
    from reconciler.planning.durations import durations_of
    from reconciler.planning.preview import preview_of
    from reconciler.planning.rollback import answer_to
    from reconciler.planning.scene import Scene, groups_of
    from reconciler.planning.stops_back import stops_back

    try:
        with world.opened(world.settings_from(config)) as reader:
            status, history = world.published(reader, "status"), world.history_of(reader)
    except (JournalError, ReconcilerError) as error:
        return str(error)
    scene = Scene(desired=desired, catalog=load_catalog(desired.catalog), history=history, now=datetime.now(UTC))
    group, services = next((g, names) for g, names in groups_of(desired).items() if service in names)
    at = {each["service"]: each["position"] for each in status["services"] if each["service"] in services}
    if unknown := [name for name in services if not at.get(name)]:
        return f"where {', '.join(unknown)} stands is not known; `reconciler why {unknown[0]}` says more"
    preview = preview_of(group, answer_to(group, at, scene), scene)
    return Told(preview, durations_of(history), stops_back(group, scene))


def _show(service: str, advance: Advance, branch: str, made: str) -> None:
    say(f"{service}: {advance.after} back to {advance.before}", "bold")
    say(f"branch {branch}, commit {made[:12]}, reverts {advance.commit[:12]}")
    say(f"next: `git push origin {branch}`, a review, and a merge into the branch that the daemon follows")


def _show_answer(told: Told | str) -> None:
    from reconciler.cli.plan_tree import tree_of

    if isinstance(told, str):
        note(f"What the daemon will do then cannot be told from here: {told}")
        return
    if told.plan.plan is None:
        say("after the merge: nothing that serves was touched yet; the plan is dropped")
        return
    say("after the merge:")
    print_lines(tree_of(told.plan, told.durations))
    if told.stops:
        _show_stops(told.stops)


def _show_stops(stops: Sequence[StopBack]) -> None:
    from reconciler.cli.stops_back import COLUMNS, rows_of

    say("releases that a commit may name as the goal; all services of a leg go back together:", "bold")
    rows = table(*COLUMNS)
    for cells in rows_of(stops):
        add_row(rows, cells)
    print_lines(rows)


def _to_json(service: str, advance: Advance, made: tuple[str, str], told: Told | str) -> Mapping[str, Any]:
    from reconciler.cli.stops_back import to_json
    from reconciler.planning.plan_json import plans_to_json

    branch, commit = made
    known = None if isinstance(told, str) else told
    return {
        "service": service,
        "from": advance.after,
        "to": advance.before,
        "reverts": advance.commit,
        "branch": branch,
        "commit": commit,
        "plan": plans_to_json([known.plan], known.durations) if known else None,
        "untold": told if isinstance(told, str) else "",
        "stops": to_json(known.stops) if known else [],
    }


def _refused(text: str, hint: str) -> SourceError:
    return SourceError(text, reason="NotReverted", hint=hint)
