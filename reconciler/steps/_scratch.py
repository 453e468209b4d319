"""How a dump is restored into a scratch database, compared with its manifest, and taken away again."""

from __future__ import annotations

from reconciler.steps import _sqlite
from reconciler.steps._mariadb import DUMP, LOGIN
from reconciler.steps._place import PLACE
from reconciler.steps._shell import PRELUDE

# NAME.scratch is written before the database is made, so that what is found by its name later is known to be ours.
# Events are left out: the server would carry them out.
_MARIADB = r"""
final=$then/$name.sql.gz
scratch=reconciler_$(digest "$RECONCILER_RUN $name" | cut -c 1-20)
mark=$now/$name.scratch
server() { as_user "$tool" -N -B -r -e "$1"; }
there() { [ "$(server "SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = '$scratch'")" != 0 ]; }
tidy() {
  if [ -f "$mark" ]; then server "DROP DATABASE IF EXISTS \`$scratch\`"; fi
  rm -f -- "$mark" "$now/$name.scratch.rows" "$now/$name.scratch.told" "$now/$name.scratch.read"
}

if [ -e "$then/$name.absent" ]; then value absent yes; exit 0; fi
whole "$final"
attested "$final" "$sum"
[ -f "$final.json" ] || unreadable "$final has no manifest to compare with"
if there; then
  [ -f "$mark" ] || fail "database $scratch is there already, and this run has not made it: look at it, and drop it"
  tidy
fi
printf '%s\n' "$scratch" >"$mark"
flush "$mark" "$now"
trap tidy EXIT
server "CREATE DATABASE \`$scratch\`" || fail "$user may not create a database: GRANT ALL ON \`reconciler\\_%\`.* TO it"
dbname=$scratch
{ gzip -dc -- "$final" && : >"$mark.read"; } |
  sed '/^-- Dumping events for database /,/^-- Dumping routines for database /d' | as_user "$tool" -- "$dbname"
[ -f "$mark.read" ] || unreadable "$final could not be read to its end"
grep -qxF " \"structure\": \"$(structure)\"," "$final.json" ||
  unreadable "$final: the structure that was restored is not the one of its manifest"
count "$mark.rows"
tables=$(wc -l <"$mark.rows" | tr -d ' ')
rows=$(awk -F '\t' '{ sum += $2 } END { printf "%.0f", sum }' "$mark.rows")
listed <"$mark.rows" | sed 's/,$//' >"$mark.told"
other=$(sed -n '/^ "rows": {$/,/^ },$/p' "$final.json" | grep '^  "' | sed 's/,$//' | grep -vxFf "$mark.told" || :)
other=$(printf '%s' "$other" | head -n 3)
[ -z "$other" ] || unreadable "$final: its manifest counts other rows than were restored:$other"
value trust restored
value tables "$tables"
value rows "$rows"
echo "restored into $scratch and compared: $tables tables, $rows rows"
"""

MARIADB_BODY = PRELUDE + PLACE + LOGIN + DUMP + _MARIADB

_SQLITE = r"""
def check_restored(base):
    final, scratch = base + ".sqlite", base + ".scratch"
    if os.path.exists(base + ".absent"):
        value("absent", "yes")
        return
    total = whole(final)
    attested(final, total)
    if not os.path.exists(final + ".json"):
        unreadable("%s has no manifest to compare with" % final)
    with open(final + ".json") as file:
        told = json.load(file)
    try:
        shutil.copyfile(final, scratch)
        check(scratch)
        with closing(connect(scratch, "mode=ro&immutable=1")) as database:
            found = held(database)
    finally:
        if os.path.exists(scratch):
            os.remove(scratch)
    if found["structure"] != told["structure"]:
        unreadable("%s: the structure that was restored is not the one of its manifest" % final)
    other = [name for name, rows in told["rows"].items() if found["rows"].get(name) != rows]
    if other:
        unreadable("%s: its manifest counts other rows than were restored: %s" % (final, ", ".join(other[:3])))
    value("trust", "restored")
    value("tables", len(found["rows"]))
    value("rows", sum(found["rows"].values()))
    print("restored and compared: %d tables" % len(found["rows"]))

verb, source, base, present = sys.argv[1:]
try:
    check_restored(base)
except (OSError, sqlite3.Error) as error:
    sys.exit("%s: %s" % (base, error))
"""

SQLITE_BODY = _sqlite.program(_SQLITE)
