"""The scripts of `sql_rewrite`: one for MariaDB and MySQL, one for SQLite."""

from __future__ import annotations

from reconciler.steps import _sqlite
from reconciler.steps._mariadb import DUMP, LOGIN
from reconciler.steps._place import PLACE
from reconciler.steps._shell import PRELUDE

# One connection is kept open over two pipes, so that the script can save the old rows while they are locked, and decide
# between the statement and its commit. Its end without a commit is a rollback.
_MARIADB = r"""
key=$5 form=$6 table=$7 min=$8 max=$9
shift 9
statement=$1 where=$2 done_when=$3 columns=$4
saved=$then/$name.rewrite-$key
pipes=${RECONCILER_VALUES%/*}
end='-- end of answer --'

converse() {
  rm -f -- "$pipes/ask" "$pipes/answer"
  mkfifo -- "$pipes/ask" "$pipes/answer"
  as_user "$tool" -N -B -r --unbuffered -- "$dbname" <"$pipes/ask" >"$pipes/answer" 2>"$pipes/trouble" &
  exec 7>"$pipes/ask" 8<"$pipes/answer"
  say 'SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ'
}
say() {
  printf "%s;\nSELECT '%s';\n" "$1" "$end" >&7
  while IFS= read -r line <&8; do
    [ "$line" != "$end" ] || return 0
    printf '%s\n' "$line"
  done
  fail "$(cat -- "$pipes/trouble")"
}
holds() { [ "$(say "$done_when")" = 1 ]; }

of_key() {
  query "SELECT $1 FROM information_schema.key_column_usage WHERE table_schema = DATABASE()
    AND table_name = '$table' AND constraint_name = 'PRIMARY'"
}
# Sets `same`, which pairs a row with its old self, and `keyed`, which tells a row's key in hexadecimal.
reversible() {
  same=$(of_key "GROUP_CONCAT(CONCAT('t.\`', column_name, '\` = o.\`', column_name, '\`') SEPARATOR ' AND ')")
  [ "$same" != NULL ] || fail "table $table has no primary key: what is changed could not be put back"
  keyed=$(of_key "CONCAT('CONCAT_WS(0x2C, ', GROUP_CONCAT(CONCAT('HEX(CAST(\`', column_name, '\` AS BINARY))')
    ORDER BY ordinal_position), ')')")
  for column in $columns; do
    case " $same " in *" t.\`$column\` "*) fail "$column belongs to the primary key of $table" ;; esac
  done
  [ "$form" = delete ] || return 0
  hanging=$(query "SELECT COUNT(*) FROM information_schema.referential_constraints WHERE constraint_schema = DATABASE()
    AND referenced_table_name = '$table' AND delete_rule NOT IN ('RESTRICT', 'NO ACTION')")
  [ "$hanging" = 0 ] || fail "other tables lose rows with those of $table: that could not be put back"
}
within() {
  [ "$1" -ge "$min" ] && { [ -z "$max" ] || [ "$1" -le "$max" ]; } ||
    fail "$1 rows of $table are concerned instead of $min to ${max:-any number}; nothing was changed"
}
save_rows() {
  rm -f -- "$1.part" "$1.ok"
  {
    as_user "$dump" --single-transaction --skip-opt --quick --extended-insert --no-create-info --complete-insert \
      --skip-triggers --hex-blob --no-tablespaces --where="$where" -- "$dbname" "$table" && : >"$1.ok"
  } | gzip -c >"$1.part"
  [ -f "$1.ok" ] || fail "the old rows of $table cannot be saved"
  rm -f -- "$1.ok"
  flush "$1.part"
  check "$1.part"
  mv -f -- "$1.part" "$1"
  flush "$now"
}
keys() { say "SELECT $keyed FROM \`$table\`" | sort; }

insert() {
  [ "$(say "SELECT COUNT(*) FROM \`$table\`")" -le 100000 ] || fail "$table has too many rows to tell the new ones"
  keys >"$saved.before"
  say "$statement"
  keys >"$saved.after"
  comm -13 "$saved.before" "$saved.after" >"$saved.keys"
  rm -f -- "$saved.before" "$saved.after"
  flush "$saved.keys" "$now"
  rows=$(wc -l <"$saved.keys" | tr -d ' ')
  within "$rows"
}
change() {
  rows=$(say "SELECT COUNT(*) FROM \`$table\` WHERE $where FOR UPDATE")
  within "$rows"
  save_rows "$saved.sql.gz"
  say "$statement"
}
rewrite() {
  converse
  if holds; then
    echo 'nothing to do: done_when holds'
    rows=$(cat -- "$saved.rows" 2>/dev/null || echo 0)
  else
    reversible
    say 'START TRANSACTION'
    if [ "$form" = insert ]; then insert; else change; fi
    echo "$rows" >"$saved.rows"
    flush "$saved.rows"
    holds || fail 'done_when does not hold after the statement; nothing was changed'
    say COMMIT
    : >"$saved.done"
    flush "$saved.done" "$now"
    echo "$form: $rows rows of $table"
  fi
  value rows "$rows"
}

# old_rows: the rows saved, in a table of this connection.
old_rows() {
  say "CREATE TEMPORARY TABLE reconciler_old LIKE \`$table\`"
  gzip -dc -- "$saved.sql.gz" | sed "s/^INSERT INTO \`$table\`/INSERT INTO reconciler_old/" >&7
}
put_back() {
  case $form in
  insert)
    while IFS= read -r one; do say "DELETE FROM \`$table\` WHERE $keyed = '$one'"; done <"$saved.keys" ;;
  delete)
    old_rows
    say "INSERT INTO \`$table\` SELECT o.* FROM reconciler_old AS o
      WHERE NOT EXISTS (SELECT 1 FROM \`$table\` AS t WHERE $same)" ;;
  update)
    old_rows
    changes=
    for column in $columns; do changes="$changes${changes:+, }t.\`$column\` = o.\`$column\`"; done
    say "UPDATE \`$table\` AS t JOIN reconciler_old AS o ON $same SET $changes" ;;
  esac
}
take_back() {
  if [ ! -f "$saved.rows" ]; then echo 'nothing was changed'; return 0; fi
  converse
  if [ ! -f "$saved.done" ] && ! holds; then echo 'nothing was changed'; return 0; fi
  reversible
  [ "$form" = insert ] || check "$saved.sql.gz"
  say 'START TRANSACTION'
  put_back
  say COMMIT
  echo "taken back: $(cat -- "$saved.rows") rows of $table"
  rm -f -- "$saved.rows" "$saved.done"
  flush "$then"
}

case $verb in rewrite | take_back) "$verb" ;; *) fail "unknown verb $verb" ;; esac
"""

MARIADB_BODY = PRELUDE + PLACE + LOGIN + DUMP + _MARIADB

_SQLITE = r"""
import json

job = json.loads(sys.argv[5])
values, table = job["values"], '"%s"' % job["table"]

def plain(row):
    return [{"x": item.hex()} if isinstance(item, bytes) else item for item in row]

def real(row):
    return [bytes.fromhex(item["x"]) if isinstance(item, dict) else item for item in row]

def holds(database):
    return database.execute(job["done_when"], values).fetchone() in [(1,), ("1",)]

def key_of(database):
    found = [row for row in database.execute("PRAGMA table_info(%s)" % table) if row[5]]
    keys = [row[1] for row in sorted(found, key=lambda row: row[5])]
    if not keys:
        sys.exit("table %s has no primary key: what is changed could not be put back" % job["table"])
    if set(keys) & set(job["columns"]):
        sys.exit("a column of SET belongs to the primary key of %s" % job["table"])
    return keys

def listed(names, mark=", "):
    return mark.join('"%s"' % name for name in names)

def each(names, mark):
    return mark.join('"%s" IS ?' % name for name in names)

def within(count):
    least, most = job["min"], job["max"]
    if count < least or (most is not None and count > most):
        text = "%d rows of %s are concerned instead of %s to %s; nothing was changed"
        sys.exit(text % (count, job["table"], least, "any number" if most is None else most))
    return count

def save(path, content):
    with open(path + ".part", "w") as file:
        json.dump(content, file)
    flush(path + ".part")
    os.replace(path + ".part", path)
    flush(os.path.dirname(path))

def keys(database, names):
    return set(database.execute("SELECT %s FROM %s" % (listed(names), table)))

def insert(database, path):
    names = key_of(database)
    before = keys(database, names)
    database.execute(job["statement"], values)
    new = sorted(keys(database, names) - before)
    save(path, {"keys": [plain(row) for row in new], "rows": within(len(new))})

def change(database, path):
    key_of(database)
    cursor = database.execute("SELECT * FROM %s WHERE %s" % (table, job["where"]), values)
    columns, old = [each[0] for each in cursor.description], cursor.fetchall()
    save(path, {"columns": columns, "old": [plain(row) for row in old], "rows": within(len(old))})
    database.execute(job["statement"], values)

def rewrite(database, path):
    if holds(database):
        print("nothing to do: done_when holds")
    else:
        (insert if job["form"] == "insert" else change)(database, path)
        if not holds(database):
            sys.exit("done_when does not hold after the statement; nothing was changed")
        database.execute("COMMIT")
    rows = 0
    if os.path.exists(path):
        with open(path) as file:
            rows = json.load(file)["rows"]
    value("rows", rows)

def take_back(database, path):
    if not os.path.exists(path) or not holds(database):
        print("nothing was changed")
        return
    with open(path) as file:
        saved = json.load(file)
    names = key_of(database)
    for row in map(real, saved.get("keys", [])):
        database.execute("DELETE FROM %s WHERE %s" % (table, each(names, " AND ")), row)
    for row in map(real, saved.get("old", [])):
        old = dict(zip(saved["columns"], row))
        where = [old[name] for name in names]
        if job["form"] == "update":
            change = ", ".join('"%s" = ?' % name for name in job["columns"])
            done = [old[name] for name in job["columns"]] + where
            database.execute("UPDATE %s SET %s WHERE %s" % (table, change, each(names, " AND ")), done)
        else:
            place = "%s (%s) VALUES (%s)" % (table, listed(saved["columns"]), ", ".join("?" * len(row)))
            database.execute("INSERT OR IGNORE INTO " + place, row)
    database.execute("COMMIT")
    os.remove(path)
    print("taken back: %d rows of %s" % (saved["rows"], job["table"]))

verb, source, base, present = sys.argv[1:5]
path = "%s.rewrite-%s.json" % (base, job["key"])
try:
    with closing(connect(source, "mode=rw")) as database:
        database.isolation_level = None
        database.execute("BEGIN IMMEDIATE")
        (rewrite if verb == "rewrite" else take_back)(database, path)
except (OSError, sqlite3.Error) as error:
    sys.exit("%s: %s" % (source, error))
"""

SQLITE_BODY = _sqlite.program(_SQLITE)
