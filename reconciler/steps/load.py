"""Loads a backup set's dump into a new, empty database, and empties it again."""

from __future__ import annotations

from dataclasses import replace

from pydantic import Field

from reconciler.domain.effect import Ask, HostScript
from reconciler.domain.outcome import Done, Failed, Outcome
from reconciler.domain.plan import Undo
from reconciler.domain.reasons import Reason
from reconciler.steps import Evidence, _dumps
from reconciler.steps._dumps import Target
from reconciler.steps._load import MARIADB_BODY, SQLITE_BODY
from reconciler.steps._undo import by_itself

KIND = "load"
TIMEOUT_S = 14400.0
REPEATABLE = True
INTERRUPTIBLE = False
WHERE = "host"


class Model(Target):
    """The new database, and the run in whose folder the dump lies (empty: the current one).

    What is `fresh` is in no set: it is found empty, and what a schema step makes in it is the run's. `take_back`
    empties it again, if that run loaded or claimed it; with `keep_present` what is there is dumped first.
    """

    run: str = Field(default="", pattern=_dumps.RUN)
    fresh: bool = False
    take_back: bool = False
    keep_present: bool = True


def effect(args: Model) -> HostScript:
    """Render the load; a second attempt empties what the first one left half-way, and begins anew."""
    verb = "unload" if args.take_back else "claim" if args.fresh else "load"
    script = _dumps.script(verb, args, args.run, keep_present=args.take_back and args.keep_present)
    return replace(script, body=SQLITE_BODY if args.engine == "sqlite" else MARIADB_BODY)


def shows(args: Model) -> tuple[str, ...]:
    """Show the load, or how it is taken back."""
    if args.fresh and not args.take_back:
        return (f"see {_name(args)} empty, made if it is not there",)
    if not args.take_back:
        return (_dumps.loading(args, args.run),)
    kept = (_dumps.dumping(args, ".present"),) if args.keep_present else ()
    return *kept, f"drop all tables of {_name(args)}"


def title(args: Model) -> str:
    """Name the database."""
    if args.fresh and not args.take_back:
        return f"see {_name(args)} empty, for {args.service}.{args.database}, which is new"
    return f"empty {_name(args)} again" if args.take_back else f"load {args.service}.{args.database} into {_name(args)}"


def undo(args: Model) -> Undo | None:
    """Empty it again."""
    if args.take_back:
        return None
    return by_itself(KIND, args, title, take_back=True, run="")


def _name(args: Model) -> str:
    return args.path if args.engine == "sqlite" else f"{args.dbname} on {args.host}"


def proved(args: Model) -> tuple[str, ...]:
    """Say what the script reads back."""
    if args.fresh:
        return ("it holds no table, or only those of this run",)
    return ("the dump has its checksum; tables are counted and the version is read back",)


def proofs(_args: Model) -> tuple[Ask, ...]:
    """Need no proof: the script counts the tables and reads the marker."""
    return ()


def judge(args: Model, evidence: Evidence) -> Outcome:
    """Follow the script; leaves `path`, `sha256`, `tables` and `marker`, or `absent`; of an undo `present`.

    A load that does not say what it read back has not read it: a schema step would make a new service of nothing.
    """
    outcome = _dumps.judge(evidence)
    if isinstance(outcome, Done) and not args.take_back and outcome.values.keys().isdisjoint({"tables", "absent"}):
        text = f"the host says that it is done, and not what it read back from {_name(args)}"
        return Failed(Reason.STEP_FAILED, text, "See what is in that database, and what the step left on the host.")
    return outcome
