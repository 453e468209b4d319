#!/usr/bin/env python3
"""Writes reference pages from the code: verbs, settings, reasons, and the built-in procedures on their page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from reconciler.cli.reference import reference as verbs
from reconciler.cli.settings_reference import reference
from reconciler.desired import Problems, load_procedures
from reconciler.domain.procedure import ActionSpec, PhaseSpec, Procedure
from reconciler.domain.reasons import TEXTS, Reason
from reconciler.domain.who import who_clears
from reconciler.execution.read import builtin_procedures
from reconciler.planning.action_forms import action_forms

PAGES = Path(__file__).resolve().parent.parent / "docs" / "reference"
BEGIN, END = "<!-- made from the built-in procedures -->", "<!-- end of what is made -->"

# A chapter begins with this reason and goes on to the next chapter's.
CHAPTERS: Mapping[Reason, str] = {
    Reason.SOURCE_UNREACHABLE: "The source",
    Reason.HOST_UNREACHABLE: "Hosts",
    Reason.DATABASE_UNREACHABLE: "Databases",
    Reason.METRICS_UNREACHABLE: "Metrics",
    Reason.NO_ROUTE: "Planning",
    Reason.STEP_FAILED: "Steps",
    Reason.JOURNAL_HELD: "The daemon itself",
    Reason.HELD: "Judgement",
    Reason.ALERT_FIRING: "Gates",
}
HEAD = """\
# Reasons

Generated from `reconciler/domain/reasons.py` and `gate_reasons.py` by `make generate`; a test holds the two equal.

Every "no" of the daemon carries one of these codes: in `status`, in plans, in the journal, in events and on hosts that
are not known. The text beside a code in `status` says which host, step or file is meant. *Who* can clear it: time,
an operator at the machines or with `reconciler`, whoever commits to the desired state, or another team;
`reconciler why SERVICE` traces it for one service.
"""


def reasons_page() -> str:
    """Write docs/reference/reasons.md: a table per chapter."""
    return HEAD + "".join(_reasons())


def _reasons() -> Iterator[str]:
    for reason in Reason:
        if reason in CHAPTERS:
            yield f"\n## {CHAPTERS[reason]}\n\n"
            yield "| reason | what it means | what to do | who |\n| --- | --- | --- | --- |\n"
        meaning, hint = TEXTS[reason]
        yield f"| `{reason}` | {meaning} | {hint} | {who_clears(reason)} |\n"


def with_procedures(page: str) -> str:
    """Replace what stands between the marks of a page by the built-in procedures."""
    procedures = load_procedures(builtin_procedures(), action_forms())
    if isinstance(procedures, Problems):
        raise TypeError("the built-in procedures are not valid")
    chapters = "".join(_procedure(procedure) for procedure in procedures.values())
    before, rest = page.split(BEGIN)
    return f"{before}{BEGIN}\n\n{chapters}{END}{rest.split(END)[1]}"


def _procedure(procedure: Procedure) -> str:
    rows = "".join(
        f"| {phase.phase} | {phase.each} | {_on(phase)} | {', '.join(_action(step) for step in phase.steps)} |\n"
        for phase in procedure.phases
    )
    leg = {"hop": "one hop", "route": "the whole route"}[procedure.leg]
    head = "| phase | each | on | steps |\n| --- | --- | --- | --- |\n"
    return f"### {procedure.name}\n\n{procedure.text} A leg is {leg}.\n\n{head}{rows}\n"


def _on(phase: PhaseSpec) -> str:
    return f"{phase.on} {phase.subject}".strip() + (", rolling" if phase.rolling else "")


def _action(spec: ActionSpec) -> str:
    said = {**spec.args, "when": f"{spec.condition.when} {spec.condition.subject}".strip()}
    args = ", ".join(f"{name}: {_value(value)}" for name, value in said.items() if value)
    return f"`{spec.action}`" + (f" ({args})" if args else "")


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {each}" for key, each in value.items())
    return str(value)


def pages() -> dict[str, str]:
    """Return every generated page by file name."""
    procedures = (PAGES / "procedures.md").read_text(encoding="utf-8")
    return {
        "cli.md": verbs(),
        "settings.md": reference(),
        "reasons.md": reasons_page(),
        "procedures.md": with_procedures(procedures),
    }


def main() -> None:
    """Write every page."""
    for name, text in pages().items():
        (PAGES / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
