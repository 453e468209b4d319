"""Dump and restore of a MariaDB or MySQL database, by its own client programs.

`LOGIN` and `DUMP` serve other scripts too.
"""

from __future__ import annotations

from reconciler.steps._mariadb_manifest import MANIFEST
from reconciler.steps._place import PLACE
from reconciler.steps._shell import PRELUDE

CLIENT_OPTIONS = ("--default-character-set=utf8mb4", "--max-allowed-packet=1G")
DUMP_OPTIONS = (
    *("--single-transaction", "--quick", "--routines", "--triggers", "--events"),
    *("--hex-blob", "--no-tablespaces"),
)
"""What is said in the script is said to people, too."""

LOGIN = r"""
host=$1 port=$2 user=$3 dbname=$4
tool=$(command -v mariadb || command -v mysql) || fail "neither mariadb nor mysql is on this host"
dump=$(command -v mariadb-dump || command -v mysqldump) || fail "neither mariadb-dump nor mysqldump is on this host"
login='[client]'
if [ -n "${PASSWORD-}" ]; then
  login="$login
password=\"$(printf '%s' "$PASSWORD" | sed 's/[\\"]/\\&/g')\""
fi

# Whoever names an authority wants the server verified: without the second option the client would take any certificate,
# and "localhost" for a socket. It is called otherwise in the clients of MySQL.
if [ -n "${TLS_CA-}" ]; then
  case $("$tool" --version) in
    *MariaDB*) verify=ssl-verify-server-cert ;;
    *) verify=ssl-mode=VERIFY_IDENTITY ;;
  esac
  login="$login
protocol=tcp
ssl-ca=\"$TLS_CA\"
$verify"
  [ -z "${TLS_CERT-}" ] || login="$login
ssl-cert=\"$TLS_CERT\"
ssl-key=\"$TLS_KEY\""
fi

# The password goes through a pipe: of a here-document some shells make a file (bash before 5.1), a secret on disk.
# A .my.cnf of whom we run as would overrule it, so there is no home.
as_user() {
  program=$1; shift
  {
    printf '%s\n' "$login" | HOME=/nonexistent "$program" --defaults-extra-file=/dev/fd/3 \
      --host="$host" --port="$port" --user="$user" CLIENT_OPTIONS "$@" 3<&0 <&4 4<&-
  } 4<&0
}
query() { as_user "$tool" -N -B -r -e "$1" -- "$dbname"; }

exists() {
  if answer=$(query 'SELECT 1' 2>&1); then return 0; fi
  case $answer in *'ERROR 1049 '*) return 1 ;; *) fail "$answer" ;; esac
}
""".replace("CLIENT_OPTIONS", " ".join(CLIENT_OPTIONS))

_DUMP = r"""
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

size() {
  query 'SELECT COALESCE(CEIL(SUM(data_length + index_length) / 1024), 0) FROM information_schema.tables
    WHERE table_schema = DATABASE()'
}

# The dump program leaves the history of system-versioned tables out unless told; and the server must take it back, too.
# Where one of them cannot, a restore would lose it.
history() {
  versioned=$(query "SELECT COUNT(*) FROM information_schema.tables WHERE $here AND table_type = 'SYSTEM VERSIONED'")
  [ "$versioned" != 0 ] || return 0
  "$dump" --help | grep -q -e '--dump-history' ||
    fail "$dbname has $versioned system-versioned tables, whose history $dump cannot dump; MariaDB 10.11 and newer can"
  [ -n "$(query "SHOW VARIABLES LIKE 'system\_versioning\_insert\_history'")" ] ||
    fail "$dbname has $versioned system-versioned tables, and its server cannot take their history back; 10.11 can"
  echo --dump-history
}

# dump_to FINAL: sets `sum`.
dump_to() {
  if [ -e "$1" ]; then whole "$1"; echo "kept: $1"; return 0; fi
  need=$(size)
  fits "$need"
  with_history=$(history) || exit 1
  charset=$(query "SELECT CONCAT('ALTER DATABASE CHARACTER SET ', default_character_set_name, ' COLLATE ',
    default_collation_name, ';') FROM information_schema.schemata WHERE schema_name = DATABASE()")
  rm -f -- "$1.part" "$1.ok"
  began=$(stamp) from=$(logged)
  count "$1.before"
  {
    printf '%s\n' "$charset"
    as_user "$dump" DUMP_OPTIONS \
      ${MASTER_DATA:+--master-data=2} $with_history -- "$dbname" && : >"$1.ok"
  } | gzip -c >"$1.part"
  [ -f "$1.ok" ] || fail "the dump of $dbname failed"
  rm -f -- "$1.ok"
  flush "$1.part"
  check "$1.part"
  sum=$(sha256sum <"$1.part" | cut -c 1-64)
  printf '%s  %s\n' "$sum" "${1##*/}" >"$1.sha256"
  flush "$1.sha256"
  count "$1.after"
  write_manifest "$1" "$sum" "$began" "$from"
  mv -f -- "$1.part" "$1"
  flush "$now"
  echo "dumped: $1"
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

load_from() {
  rm -f -- "$now/$name.read"
  { gzip -dc -- "$1" && : >"$now/$name.read"; } | as_user "$tool" -- "$dbname"
  [ -f "$now/$name.read" ] || unreadable "$1 could not be read to its end"
  rm -f -- "$now/$name.read"
}
""".replace("DUMP_OPTIONS", " ".join(DUMP_OPTIONS))

DUMP = MANIFEST + _DUMP

_VERBS = r"""
space() {
  exists || { value absent yes; return 0; }
  history >/dev/null || exit 1
  ask_for "$(size)"
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
  tell_manifest "$final"
  [ -z "${MASTER_DATA-}" ] || value binlog "$(position_in "$final")"
}

read_back() {
  if [ -e "$then/$name.absent" ]; then never_absent "$then/$name.absent"; value absent yes; return 0; fi
  whole "$then/$name.sql.gz"
  attested "$then/$name.sql.gz" "$sum"
  value path "$then/$name.sql.gz"
  value sha256 "$sum"
}

restore() {
  final=$then/$name.sql.gz
  absent=no
  if [ -e "$then/$name.absent" ]; then never_absent "$then/$name.absent"; absent=yes
  else whole "$final"; attested "$final" "$sum"; fi
  total=${sum-}
  if [ "$absent" = yes ] && ! exists; then value absent yes; return 0; fi
  exists || fail "database $dbname is not there; create it with its grants, then retry"
  if [ "$keep_present" = yes ]; then dump_to "$now/$name.present.sql.gz"; value present "$now/$name.present.sql.gz"; fi
  empty
  if [ "$absent" = yes ]; then value absent yes; return 0; fi
  load_from "$final"
  value path "$final"
  value sha256 "$total"
}

case $verb in space | backup | read_back | restore) "$verb" ;; *) fail "unknown verb $verb" ;; esac
"""

BODY = PRELUDE + PLACE + LOGIN + DUMP + _VERBS
