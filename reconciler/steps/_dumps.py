"""Backup and restore share their target and their scripts: one for SQLite, one for MariaDB and MySQL.

A dump lies in DIR/RUN/ as SERVICE.DATABASE.sqlite or .sql.gz beside its .sha256; SERVICE.DATABASE.absent says that
there was no database. The dump gets its final name last, so what bears it is complete; it is never written twice.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from reconciler.domain.desired import SecretRef
from reconciler.domain.effect import HostScript
from reconciler.domain.outcome import Exited, Failed, Outcome
from reconciler.domain.reasons import Reason
from reconciler.steps import Args, Evidence
from reconciler.steps._judge import by_exit
from reconciler.steps._shell import PRELUDE, flag

UNREADABLE = 65  # EX_DATAERR of sysexits.h
WORD = r"^[A-Za-z0-9_@+-][A-Za-z0-9._@+-]*$"

_PLACE = r"""
verb=$1 name=$2 dir=$3 run=$4 keep_present=$5
shift 5
unreadable() { printf '%s\n' "$*" >&2; exit 65; }
now=$dir/$RECONCILER_RUN
[ -n "$run" ] || run=$RECONCILER_RUN
then=$dir/$run
mkdir -p -- "$now"
"""

_SQLITE = r'''
import hashlib, os, shutil, sqlite3, sys
from contextlib import closing
from urllib.parse import quote

SIDES = ("-wal", "-shm", "-journal")

def unreadable(text):
    print(text, file=sys.stderr)
    sys.exit(65)

def value(name, text):
    with open(os.environ["RECONCILER_VALUES"], "a") as file:
        file.write("%s=%s\n" % (name, "".join(c if c.isprintable() else " " for c in str(text))))

def flush(path):
    handle = os.open(path, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)

def sha256(path):
    total = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            total.update(block)
    return total.hexdigest()

def connect(path, query):
    return sqlite3.connect("file:%s?%s" % (quote(path), query), uri=True, timeout=30)

def check(path):
    try:
        with closing(connect(path, "mode=ro&immutable=1")) as database:
            found = [row[0] for row in database.execute("PRAGMA integrity_check")]
    except sqlite3.Error as error:
        unreadable("%s cannot be read back: %s" % (path, error))
    if found != ["ok"]:
        unreadable("%s is damaged: %s" % (path, "; ".join(map(str, found[:3]))))

def whole(final):
    """The checksum of a dump; ends the step where it does not hold."""
    try:
        with open(final + ".sha256") as file:
            expected = file.read(64)
    except OSError as error:
        unreadable("%s has no checksum: %s" % (final, error))
    if sha256(final) != expected:
        unreadable("%s differs from its checksum" % final)
    check(final)
    return expected

def own(path, like):
    os.chmod(path, like.st_mode & 0o777)
    if (os.stat(path).st_uid, os.stat(path).st_gid) != (like.st_uid, like.st_gid):
        os.chown(path, like.st_uid, like.st_gid)

def dump(source, final):
    if os.path.exists(final):
        print("kept: %s" % final)
        return whole(final)
    need = sum(os.path.getsize(source + side) for side in ("",) + SIDES if os.path.exists(source + side))
    free = shutil.disk_usage(os.path.dirname(final)).free
    if need * 1.1 + (1 << 20) > free:
        sys.exit("no space for %d bytes in %s: %d are free" % (need, os.path.dirname(final), free))
    part = final + ".part"
    for side in ("",) + SIDES:
        if os.path.exists(part + side):
            os.remove(part + side)
    with closing(connect(source, "mode=rw")) as old, closing(sqlite3.connect(part)) as new:
        # Taken once and held: `backup` would wait for a lock for ever.
        old.execute("BEGIN")
        old.execute("SELECT * FROM sqlite_master").fetchone()
        old.backup(new)
    own(part, os.stat(source))
    flush(part)
    check(part)
    total = sha256(part)
    with open(final + ".sha256", "w") as file:
        file.write("%s  %s\n" % (total, os.path.basename(final)))
    flush(final + ".sha256")
    os.replace(part, final)
    flush(os.path.dirname(final))
    print("dumped: %s" % final)
    return total

def note_absence(base):
    with open(base + ".absent", "w"):
        pass
    flush(base + ".absent")
    flush(os.path.dirname(base))

def backup(source, base):
    final = base + ".sqlite"
    if os.path.exists(base + ".absent") or not (os.path.exists(source) or os.path.exists(final)):
        note_absence(base)
        value("absent", "yes")
        return
    value("sha256", dump(source, final))
    value("path", final)
    value("bytes", os.path.getsize(final))
    value("trust", "read_back")

def restore(source, base, present):
    final = base + ".sqlite"
    absent = os.path.exists(base + ".absent")
    if not absent and not os.path.exists(final):
        unreadable("%s is not there" % final)
    total = "" if absent else whole(final)
    if present and (os.path.exists(source) or os.path.exists(present + ".sqlite")):
        dump(source, present + ".sqlite")
        value("present", present + ".sqlite")
    new = source + ".reconciler"
    if not absent:
        shutil.copyfile(final, new)
        own(new, os.stat(source if os.path.exists(source) else final))
        flush(new)
        if sha256(new) != total:
            unreadable("%s was not copied whole" % final)
    # First the sides: with a database that is not theirs they would destroy it.
    for side in SIDES + (("",) if absent else ()):
        if os.path.exists(source + side):
            os.remove(source + side)
    if absent:
        value("absent", "yes")
    else:
        os.replace(new, source)
        value("path", final)
        value("sha256", total)
    if os.path.isdir(os.path.dirname(source)):
        flush(os.path.dirname(source))

verb, source, base, present = sys.argv[1:]
try:
    if verb == "backup":
        backup(source, base)
    else:
        restore(source, base, present)
except (OSError, sqlite3.Error) as error:
    sys.exit("%s: %s" % (source, error))
'''

SQLITE_BODY = (
    PRELUDE
    + _PLACE
    + r"""
present=
[ "$keep_present" != yes ] || present=$now/$name.present
"$2" -I - "$verb" "$1" "$then/$name" "$present" <<'PYTHON'
"""
    + _SQLITE.lstrip()
    + "PYTHON\n"
)

_MARIADB = r"""
host=$1 port=$2 user=$3 dbname=$4
tool=$(command -v mariadb || command -v mysql) || fail "neither mariadb nor mysql is on this host"
dump=$(command -v mariadb-dump || command -v mysqldump) || fail "neither mariadb-dump nor mysqldump is on this host"
login='[client]'
if [ -n "${PASSWORD-}" ]; then
  login="$login
password=\"$(printf '%s' "$PASSWORD" | sed 's/[\\"]/\\&/g')\""
fi

# The password goes through a pipe. A .my.cnf of whom we run as would overrule it, so there is no home.
as_user() {
  program=$1; shift
  HOME=/nonexistent "$program" --defaults-extra-file=/dev/fd/3 --host="$host" --port="$port" --user="$user" \
    --default-character-set=utf8mb4 --max-allowed-packet=1G "$@" 3<<LOGIN
$login
LOGIN
}
query() { as_user "$tool" -N -B -r -e "$1" -- "$dbname"; }

exists() {
  if answer=$(query 'SELECT 1' 2>&1); then return 0; fi
  case $answer in *'ERROR 1049 '*) return 1 ;; *) fail "$answer" ;; esac
}

check() {
  gzip -t -- "$1" || unreadable "$1 is damaged"
  gzip -dc -- "$1" | tail -n 5 | grep -q '^-- Dump completed' || unreadable "$1 ends too early"
}
whole() {
  [ -f "$1" ] || unreadable "$1 is not there"
  sum=$(sha256sum <"$1" | cut -c 1-64)
  [ "$(cut -c 1-64 <"$1.sha256")" = "$sum" ] || unreadable "$1 differs from its checksum"
  check "$1"
}

# dump_to FINAL: sets `sum`.
dump_to() {
  if [ -e "$1" ]; then whole "$1"; echo "kept: $1"; return 0; fi
  need=$(query 'SELECT COALESCE(CEIL(SUM(data_length + index_length) / 1024), 0) FROM information_schema.tables
    WHERE table_schema = DATABASE()')
  free=$(df -Pk -- "$now" | awk 'NR == 2 { print $4 }')
  [ "$((need + 1024))" -le "$free" ] || fail "no space for $need KiB in $now: $free KiB are free"
  charset=$(query "SELECT CONCAT('ALTER DATABASE CHARACTER SET ', default_character_set_name, ' COLLATE ',
    default_collation_name, ';') FROM information_schema.schemata WHERE schema_name = DATABASE()")
  rm -f -- "$1.part" "$1.ok"
  {
    printf '%s\n' "$charset"
    as_user "$dump" --single-transaction --quick --routines --triggers --events --hex-blob --no-tablespaces \
      -- "$dbname" && : >"$1.ok"
  } | gzip -c >"$1.part"
  [ -f "$1.ok" ] || fail "the dump of $dbname failed"
  rm -f -- "$1.ok"
  flush "$1.part"
  check "$1.part"
  sum=$(sha256sum <"$1.part" | cut -c 1-64)
  printf '%s  %s\n' "$sum" "${1##*/}" >"$1.sha256"
  flush "$1.sha256"
  mv -f -- "$1.part" "$1"
  flush "$now"
  echo "dumped: $1"
}

backup() {
  final=$now/$name.sql.gz
  if [ -e "$now/$name.absent" ] || { [ ! -e "$final" ] && ! exists; }; then
    : >"$now/$name.absent"
    flush "$now/$name.absent" "$now"
    value absent yes
    return 0
  fi
  dump_to "$final"
  value sha256 "$sum"
  value path "$final"
  value bytes "$(wc -c <"$final" | tr -d ' ')"
  value trust read_back
}

# The database itself stays, and with it its grants.
empty() {
  drops=$now/$name.drops
  {
    echo 'SET FOREIGN_KEY_CHECKS = 0;'
    query "SELECT CONCAT('DROP ', IF(table_type = 'VIEW', 'VIEW', 'TABLE'), ' IF EXISTS \`',
      REPLACE(table_name, '\`', '\`\`'), '\`;') FROM information_schema.tables WHERE table_schema = DATABASE()"
    query "SELECT CONCAT('DROP ', routine_type, ' IF EXISTS \`', REPLACE(routine_name, '\`', '\`\`'), '\`;')
      FROM information_schema.routines WHERE routine_schema = DATABASE()"
    query "SELECT CONCAT('DROP EVENT IF EXISTS \`', REPLACE(event_name, '\`', '\`\`'), '\`;')
      FROM information_schema.events WHERE event_schema = DATABASE()"
  } >"$drops"
  as_user "$tool" -- "$dbname" <"$drops"
  rm -f -- "$drops"
  left=$(query 'SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE()')
  [ "$left" = 0 ] || fail "$left tables of $dbname could not be dropped"
}

restore() {
  final=$then/$name.sql.gz
  absent=no
  if [ -e "$then/$name.absent" ]; then absent=yes; else whole "$final"; fi
  total=${sum-}
  if [ "$absent" = yes ] && ! exists; then value absent yes; return 0; fi
  exists || fail "database $dbname is not there; create it with its grants, then retry"
  if [ "$keep_present" = yes ]; then dump_to "$now/$name.present.sql.gz"; value present "$now/$name.present.sql.gz"; fi
  empty
  if [ "$absent" = yes ]; then value absent yes; return 0; fi
  rm -f -- "$now/$name.loaded"
  { gzip -dc -- "$final" && : >"$now/$name.loaded"; } | as_user "$tool" -- "$dbname"
  [ -f "$now/$name.loaded" ] || unreadable "$final could not be read to its end"
  rm -f -- "$now/$name.loaded"
  value path "$final"
  value sha256 "$total"
}

case $verb in backup | restore) "$verb" ;; *) fail "unknown verb $verb" ;; esac
"""

MARIADB_BODY = PRELUDE + _PLACE + _MARIADB


class Target(Args):
    """A database as its host reaches it, and the folder of its dumps. MySQL counts as MariaDB."""

    service: str = Field(pattern=WORD)
    database: str = Field(pattern=WORD)
    engine: Literal["sqlite", "mariadb"]
    dir: str = Field(pattern="^/")
    path: str = ""
    host: str = Field(default="", pattern=r"^([A-Za-z0-9:\[][A-Za-z0-9.:\[\]-]*)?$")
    port: int = Field(default=3306, ge=1, le=65535)
    user: str = ""
    dbname: str = Field(default="", pattern=r"^([A-Za-z0-9_$][A-Za-z0-9_$-]*)?$")
    password: SecretRef | None = None
    python: str = "/usr/bin/python3"

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.engine == "sqlite" and not self.path.startswith("/"):
            raise ValueError("path is not absolute")
        if self.engine == "mariadb" and not self.dbname:
            raise ValueError("dbname is empty")
        return self


def script(verb: str, target: Target, run: str, *, keep_present: bool) -> HostScript:
    """Render what both kinds share; `run` is empty for the current one."""
    place = (verb, f"{target.service}.{target.database}", target.dir, run, flag(keep_present))
    if target.engine == "sqlite":
        return HostScript(body=SQLITE_BODY, args=(*place, target.path, target.python))
    login = (target.host, str(target.port), target.user, target.dbname)
    if target.password is None:
        return HostScript(body=MARIADB_BODY, args=(*place, *login))
    secrets, refs = {"PASSWORD": "{secret:password}"}, {"password": target.password}
    return HostScript(body=MARIADB_BODY, args=(*place, *login), secrets=secrets, secret_refs=refs)


def judge(evidence: Evidence) -> Outcome:
    """Follow the script; a dump that does not hold what its checksum says has a reason of its own."""
    match evidence.exited:
        case Exited(code, output, _) if code == UNREADABLE:
            return Failed(Reason.BACKUP_UNREADABLE, output.strip(), "Check disk and folder of the dump.")
    return by_exit(evidence)
