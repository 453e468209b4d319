"""Lets the rows of a copied database that say where others are name the copies: tools go where such rows send them."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from reconciler.domain.desired import SecretRef
from reconciler.domain.effect import Ask, HostScript
from reconciler.domain.outcome import Outcome
from reconciler.steps import Args, Evidence, _dumps
from reconciler.steps._dumps import Target
from reconciler.steps._judge import by_exit
from reconciler.steps._mariadb import LOGIN
from reconciler.steps._place import PLACE
from reconciler.steps._shell import PRELUDE

KIND = "addresses"
TIMEOUT_S = 600.0
REPEATABLE = True
INTERRUPTIBLE = False

COLUMN = r"^[a-z][a-z0-9_]*$"

# Statements go through standard input: the addresses hold passwords. Every value is written in hexadecimal.
_SCRIPT = r"""
table=$5 key=$6 column=$7 blanks=$8 known=$9
shift 9
hex() { printf '%s' "$1" | od -An -v -tx1 | tr -d ' \n'; }
quoted() { printf "CONVERT(X'%s' USING utf8mb4)" "$(hex "$1")"; }
tell() { as_user "$tool" -N -B -r -- "$dbname"; }

exists || { echo "there is no database $dbname"; exit 0; }
[ "$(query "SELECT COUNT(*) FROM information_schema.tables
  WHERE table_schema = DATABASE() AND table_name = '$table'")" != 0 ] || { echo "$dbname has no $table"; exit 0; }
others=$(query "SELECT COUNT(*) FROM \`$table\` WHERE \`$key\` NOT IN ($known)")
[ "$others" -le 1 ] || fail "$table names $others databases that the desired state cannot tell apart; none was changed"

places= statements=
while [ $# -gt 0 ]; do
  which=$1 head=$2 tail=$3 number=$4
  shift 4
  eval "secret=\${PASSWORD_$number-}"
  [ -z "$secret" ] || [ -z "$tail" ] || head=$head:$(hex "$secret" | sed 's/../%&/g')
  place=$(quoted "$head$tail")
  places=$places${places:+, }$place
  statements="$statements
UPDATE \`$table\` SET \`$column\` = $place$blanks WHERE $which;"
done
left=$(printf '%s\n' "START TRANSACTION;$statements" "COMMIT;" \
  "SELECT COUNT(*) FROM \`$table\` WHERE \`$column\` IS NULL OR \`$column\` NOT IN ($places);" | tell)
[ "$left" = 0 ] || fail "$left rows of $table still name a database that is none of the copies"
rows=$(query "SELECT COUNT(*) FROM \`$table\`")
value rows "$rows"
echo "$rows rows of $table name the copies"
"""

BODY = PRELUDE + PLACE + LOGIN + _SCRIPT


class Address(Args):
    """A copy: its URL without a password, and the key of the row that is to name it; empty: all rows of other keys."""

    key: str = ""
    url: str
    password: SecretRef | None = None


class Model(Target):
    """The rows of `table`, by `key`, whose `column` is the address of another database.

    `keys` are all that mean a database of their own; at most one row may have another key. `blank` are columns that get
    a value for good measure, such as the address of a message bus that nobody shall reach.
    """

    table: str = Field(pattern=COLUMN)
    key: str = Field(pattern=COLUMN)
    column: str = Field(pattern=COLUMN)
    keys: tuple[str, ...] = Field(min_length=1)
    places: tuple[Address, ...] = Field(min_length=1)
    blank: Mapping[str, str] = {}


def effect(args: Model) -> HostScript:
    """Render which rows get which address; passwords are secrets of the script."""
    rendered = _dumps.script("addresses", args, "", keep_present=False)
    known = ", ".join(_hex(each) for each in args.keys)
    blanks = "".join(f", `{name}` = {_hex(text)}" for name, text in sorted(args.blank.items()))
    words = [word for number, each in enumerate(args.places) for word in _words(args, each, number, known)]
    refs = {f"place_{number}": each.password for number, each in enumerate(args.places) if each.password}
    secrets = {f"PASSWORD_{name.removeprefix('place_')}": f"{{secret:{name}}}" for name in refs}
    return HostScript(
        body=BODY,
        args=(*rendered.args, args.table, args.key, args.column, blanks, known, *words),
        env=rendered.env,
        secrets={**rendered.secrets, **secrets},
        secret_refs={**rendered.secret_refs, **refs},
    )


def _words(args: Model, each: Address, number: int, known: str) -> tuple[str, str, str, str]:
    head, at, tail = each.url.partition("@")
    which = f"`{args.key}` = {_hex(each.key)}" if each.key else f"`{args.key}` NOT IN ({known})"
    return which, head, at + tail, str(number)


def _hex(text: str) -> str:
    return f"CONVERT(X'{text.encode().hex()}' USING utf8mb4)"


def shows(args: Model) -> tuple[str, ...]:
    """Show which row names what from then on."""
    return tuple(f"{args.dbname} on {args.host}> {_line(args, each)};" for each in args.places)


def _line(args: Model, each: Address) -> str:
    values = {args.column: _shown(each), **dict(sorted(args.blank.items()))}
    known = ", ".join(f"'{key}'" for key in args.keys)
    which = f"= '{each.key}'" if each.key else f"NOT IN ({known})"
    return " ".join(
        ("UPDATE", args.table, "SET", ", ".join(f"{k} = '{v}'" for k, v in values.items()), "WHERE", args.key, which)
    )


def _shown(each: Address) -> str:
    head, at, tail = each.url.partition("@")
    return f"{head}:{{secret:password}}{at}{tail}" if each.password and at else each.url


def proved(args: Model) -> tuple[str, ...]:
    """Say what the script reads back."""
    return (f"no row of {args.table} names anything but these",)


def proofs(_args: Model) -> tuple[Ask, ...]:
    """Need no proof: the script reads the rows back."""
    return ()


def judge(_args: Model, evidence: Evidence) -> Outcome:
    """Follow the script; leaves `rows`, how many there are."""
    return by_exit(evidence, hint="Nothing may follow such a row to where it leads; look at the table in the copy.")
