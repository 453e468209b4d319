"""How a dump gets into a database that is new, and out of it again."""

from __future__ import annotations

from reconciler.steps import _sqlite
from reconciler.steps._mariadb import DUMP, LOGIN
from reconciler.steps._place import PLACE
from reconciler.steps._shell import PRELUDE

# NAME.loading is written before the first table, so that what is found in the database later is known to be ours;
# NAME.loaded when all is there. They lie with the run that loads, and name the dump by its checksum and where it went.
_MARIADB = r"""
if [ "$verb" = unload ]; then marks=$then; else marks=$now; fi
mark=$marks/$name.loading
load=$marks/$name.loaded

tables() {
  query "SELECT COUNT(*) FROM information_schema.tables WHERE $holds_rows"
}
note() { printf '%s %s %s %s\n' "$sum" "$host" "$port" "$dbname" >"$1"; flush "$1" "$marks"; }
noted() { printf '%s %s %s %s\n' "$sum" "$host" "$port" "$dbname" | cmp -s - "$1"; }

# The name was checked against a pattern without quotes.
create() {
  as_user "$tool" -e "CREATE DATABASE IF NOT EXISTS \`$dbname\`"
  value created yes
}
read_back() {
  there=$(tables)
  wanted=$(gzip -dc -- "$1" | grep -c -e '^CREATE TABLE `' -e '^CREATE SEQUENCE `' || :)
  [ "$there" = "$wanted" ] || fail "$dbname holds $there tables after the load; the dump has $wanted"
  value tables "$there"
  value marker "$(marker)"
}

# Nothing is there to load: what a schema step makes in it is ours, and is taken out again.
claim() {
  sum=absent
  exists || create
  [ "$(tables)" = 0 ] || noted "$mark" || fail "database $dbname is not empty, and not by this run"
  note "$mark"
  echo "the backup set has no database $name"
  value absent yes
}

load() {
  final=$then/$name.sql.gz
  if [ -e "$then/$name.absent" ]; then claim; return 0; fi
  whole "$final"
  exists || create
  if [ "$(tables)" != 0 ]; then
    noted "$mark" || fail "database $dbname is not empty, and what is in it was not loaded by this run"
    noted "$load" || empty
  fi
  if [ "$(tables)" = 0 ]; then
    note "$mark"
    load_from "$final"
    note "$load"
  fi
  read_back "$final"
  value path "$final"
  value sha256 "$sum"
}

unload() {
  if [ ! -e "$mark" ]; then echo "run $run loaded nothing into $dbname"; return 0; fi
  if exists; then
    if [ "$keep_present" = yes ] && [ "$(tables)" != 0 ]; then
      dump_to "$now/$name.present.sql.gz"
      value present "$now/$name.present.sql.gz"
    fi
    empty
  fi
  rm -f -- "$load" "$mark"
  flush "$marks"
  echo "emptied: $dbname"
}

case $verb in claim | load | unload) "$verb" ;; *) fail "unknown verb $verb" ;; esac
"""

MARIADB_BODY = PRELUDE + PLACE + LOGIN + DUMP + _MARIADB

_SQLITE = r"""
def write(path, text):
    with open(path, "w") as file:
        file.write(text + "\n")
    flush(path)
    flush(os.path.dirname(path))

def noted(path, text):
    if not os.path.exists(path):
        return False
    with open(path) as file:
        return file.read() == text + "\n"

def tables(path):
    if not os.path.exists(path):
        return 0
    with closing(connect(path, "mode=ro")) as database:
        return database.execute("SELECT COUNT(*) FROM sqlite_master WHERE type = 'table'").fetchone()[0]

def marks_of(base):
    return os.path.join(os.path.dirname(os.path.dirname(base)), os.environ["RECONCILER_RUN"], os.path.basename(base))

def claim(target, base):
    ours = "absent %s" % target
    if tables(target) and not noted(marks_of(base) + ".loading", ours):
        sys.exit("%s is not empty, and not by this run" % target)
    write(marks_of(base) + ".loading", ours)
    value("absent", "yes")

def load(target, base):
    final = base + ".sqlite"
    if os.path.exists(base + ".absent"):
        claim(target, base)
        return
    if not os.path.exists(final):
        unreadable("%s is not there" % final)
    ours, marks = "%s %s" % (whole(final), target), marks_of(base)
    if tables(target):
        if not noted(marks + ".loading", ours):
            sys.exit("%s is not empty, and what is in it was not loaded by this run" % target)
    if not noted(marks + ".loaded", ours) or not tables(target):
        need, free = os.path.getsize(final), shutil.disk_usage(os.path.dirname(target)).free
        if need + (1 << 20) > free:
            sys.exit("no space for %d bytes beside %s: %d are free" % (need, target, free))
        write(marks + ".loading", ours)
        shutil.copyfile(final, target + ".reconciler")
        own(target + ".reconciler", os.stat(target if os.path.exists(target) else final))
        flush(target + ".reconciler")
        for side in SIDES:
            if os.path.exists(target + side):
                os.remove(target + side)
        os.replace(target + ".reconciler", target)
        flush(os.path.dirname(target))
        write(marks + ".loaded", ours)
    value("path", final)
    value("sha256", ours.split()[0])
    value("tables", tables(target))
    with closing(connect(target, "mode=ro")) as database:
        value("marker", marker(database))

def unload(target, base, present):
    if not os.path.exists(base + ".loading"):
        print("nothing was loaded into %s" % target)
        return
    if present and tables(target):
        dump(target, present + ".sqlite")
        value("present", present + ".sqlite")
    for path in [target + side for side in SIDES + ("",)] + [base + ".loaded", base + ".loading"]:
        if os.path.exists(path):
            os.remove(path)
    flush(os.path.dirname(base))
    print("emptied: %s" % target)

verb, target, base, present = sys.argv[1:]
try:
    if verb == "claim":
        claim(target, base)
    elif verb == "load":
        load(target, base)
    else:
        unload(target, base, present)
except (OSError, sqlite3.Error) as error:
    sys.exit("%s: %s" % (target, error))
"""

SQLITE_BODY = _sqlite.program(_SQLITE)
