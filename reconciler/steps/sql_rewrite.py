"""Changes rows of a database with one statement, and can put them back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Self

from pydantic import Field, model_validator

from reconciler.domain.effect import Ask, HostScript
from reconciler.domain.outcome import Outcome
from reconciler.domain.plan import Undo, digest_of
from reconciler.steps import Args, Evidence, _dumps, _statement
from reconciler.steps._dumps import Target
from reconciler.steps._judge import by_exit
from reconciler.steps._rewrite import MARIADB_BODY, SQLITE_BODY
from reconciler.steps._undo import by_itself

KIND = "sql_rewrite"
TIMEOUT_S = 3600.0
REPEATABLE = True
INTERRUPTIBLE = False
WHERE = "host"


class Rows(Args):
    """How many rows may be concerned; `max` None is any number."""

    min: int = Field(default=0, ge=0)
    max: int | None = Field(default=None, ge=0)


class Model(Target):
    """One UPDATE, DELETE or INSERT with `:name` for each of `values`, and how many rows it is expected to concern.

    `done_when` is a SELECT of one value, 1 when the change has happened already. `run` names whose change is taken
    back with `take_back`, empty for the current one.
    """

    sql: str
    values: Mapping[str, str | int] = {}
    done_when: str
    expect_rows: int | Rows
    run: str = Field(default="", pattern=r"^([A-Za-z0-9_@+-][A-Za-z0-9._@+-]*)?$")
    take_back: bool = False

    @model_validator(mode="after")
    def _understood(self) -> Self:
        _statement.parse(self.sql)
        if not _statement.is_question(self.done_when):
            raise ValueError("done_when is not a SELECT")
        unbound = (_statement.names(self.sql) | _statement.names(self.done_when)) - set(self.values)
        if unbound:
            raise ValueError(f"no value is given for :{min(unbound)}")
        return self


def effect(args: Model) -> HostScript:
    """Render the statement with what is needed to know its rows before it, and to put them back after."""
    script = _dumps.script("take_back" if args.take_back else "rewrite", args, args.run, keep_present=False)
    if args.engine == "sqlite":
        return replace(script, body=SQLITE_BODY, args=(*script.args, json.dumps(_job(args), sort_keys=True)))
    statement, expected = _statement.parse(args.sql), _expected(args)
    most = "" if expected.max is None else str(expected.max)
    bound = (_statement.bind(sql, args.values) for sql in (args.sql, statement.where, args.done_when))
    what = (_key(args), statement.verb, statement.table, str(expected.min), most, *bound, " ".join(statement.columns))
    return replace(script, body=MARIADB_BODY, args=(*script.args, *what))


def _expected(args: Model) -> Rows:
    count = args.expect_rows
    return Rows(min=count, max=count) if isinstance(count, int) else count


def _key(args: Model) -> str:
    return digest_of([args.sql, dict(args.values), args.done_when])[:16]


def _job(args: Model) -> dict[str, object]:
    statement = _statement.parse(args.sql)
    what = {"form": statement.verb, "table": statement.table, "where": statement.where, "columns": statement.columns}
    asked = {"statement": args.sql, "values": dict(args.values), "done_when": args.done_when}
    return {**what, **asked, **_expected(args).model_dump(), "key": _key(args)}


def shows(args: Model) -> tuple[str, ...]:
    """Show the statement with its values, and the question before and after it."""
    if args.take_back:
        return (f"put back the rows of {_table(args)} that were saved before: {_line(args.sql, args)}",)
    prompt = args.path if args.engine == "sqlite" else f"{args.dbname} on {args.host}"
    return tuple(f"{prompt}> {_line(sql, args)};" for sql in (args.done_when, args.sql))


def _line(sql: str, args: Model) -> str:
    def shown(token: _statement.Token) -> str:
        if token.kind != "name":
            return " " if token.kind == "space" else token.text
        value = args.values[token.text[1:]]
        return str(value) if isinstance(value, int) else "'" + value.replace("'", "''").replace("\n", "\\n") + "'"

    return "".join(map(shown, _statement.tokens(sql.strip())))


def _table(args: Model) -> str:
    return f"{args.service}.{args.database}.{_statement.parse(args.sql).table}"


def title(args: Model) -> str:
    """Name the table."""
    verb = {"update": "rewrite rows of", "delete": "delete rows of", "insert": "add rows to"}
    what = "put back rows of" if args.take_back else verb[_statement.parse(args.sql).verb]
    return f"{what} {_table(args)}"


def undo(args: Model) -> Undo | None:
    """Put the old values back."""
    if args.take_back:
        return None
    return by_itself(KIND, args, title, take_back=True, run="")


def proved(_args: Model) -> tuple[str, ...]:
    """Say what the script reads back."""
    return ("before the commit the rows are counted, and `done_when` is asked",)


def proofs(_args: Model) -> tuple[Ask, ...]:
    """Need no proof: the script asks `done_when` before the commit."""
    return ()


def judge(_args: Model, evidence: Evidence) -> Outcome:
    """Follow the script; leaves `rows`, how many were concerned."""
    return by_exit(
        evidence, hint="Nothing was changed. Compare the rows of the table with `expect_rows` and `done_when`."
    )
