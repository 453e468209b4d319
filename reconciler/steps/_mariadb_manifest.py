"""What a dump of MariaDB or MySQL holds, as its manifest tells it.

A manifest is FINAL.json beside the dump, with a line for each member, and for each table below `rows`.
"""

from __future__ import annotations

# count FILE: writes the rows of each table, TABLE<tab>COUNT, all as one moment sees them.
# structure: prints a digest over columns, keys, triggers and routines. Events are left out, see `restore_check`.
MANIFEST = r"""
stamp() { date -u +%Y-%m-%dT%H:%M:%SZ; }
quoted() { printf '"%s"' "$(printf '%s' "$1" | tr '\000-\037' ' ' | sed 's/[\\"]/\\&/g')"; }
here='table_schema = DATABASE()'
# Besides base tables, sequences and system-versioned tables hold rows; so may what a later server brings.
holds_rows="$here AND table_type NOT IN ('VIEW', 'SYSTEM VIEW')"

count() {
  query "SELECT CONCAT('SELECT ', QUOTE(table_name), ', COUNT(*) FROM \`', REPLACE(table_name, '\`', '\`\`'), '\`',
    IF(table_type = 'SYSTEM VERSIONED', ' FOR SYSTEM_TIME ALL', ''))
    FROM information_schema.tables WHERE $holds_rows" >"$1.sql"
  : >"$1"
  if [ -s "$1.sql" ]; then
    sed '1!s/^/UNION ALL /' "$1.sql" | as_user "$tool" -N -B -- "$dbname" >"$1.part"
    sort "$1.part" >"$1"
  fi
  rm -f -- "$1.sql" "$1.part"
}
structure() {
  columns=$(query "SELECT table_name, ordinal_position, column_name, column_type, is_nullable, QUOTE(column_default),
    character_set_name, collation_name, extra FROM information_schema.columns WHERE $here")
  indexes=$(query "SELECT table_name, index_name, non_unique, seq_in_index, column_name, sub_part, index_type
    FROM information_schema.statistics WHERE $here")
  foreign=$(query "SELECT k.table_name, k.constraint_name, k.ordinal_position, k.column_name, k.referenced_table_name,
    k.referenced_column_name, r.update_rule, r.delete_rule FROM information_schema.key_column_usage k
    JOIN information_schema.referential_constraints r ON r.constraint_schema = k.constraint_schema
    AND r.table_name = k.table_name AND r.constraint_name = k.constraint_name WHERE k.constraint_schema = DATABASE()")
  code=$(query "SELECT 'trigger', trigger_name, event_object_table, action_timing, event_manipulation
    FROM information_schema.triggers WHERE trigger_schema = DATABASE() UNION ALL
    SELECT 'routine', routine_name, routine_type, '', '' FROM information_schema.routines
    WHERE routine_schema = DATABASE()")
  printf '%s\n' "$columns" "$indexes" "$foreign" "$code" | sort | sha256sum | cut -c 1-64
}
# Where the server stands in its binary log, as FILE:POSITION; empty where it keeps none, or tells it to nobody.
logged() {
  query "SHOW GLOBAL STATUS LIKE 'binlog\_snapshot\_%'" | awk -F '\t' '
    tolower($1) == "binlog_snapshot_file" { file = $2 }
    tolower($1) == "binlog_snapshot_position" { place = $2 }
    END { if (file) print file ":" place }'
}
marker() {
  for table in $(query "SELECT table_name FROM information_schema.tables WHERE $here
    AND table_name IN ('alembic_version', 'migrate_version') ORDER BY 1"); do
    case $table in
    alembic_version) rows=$(query 'SELECT version_num FROM alembic_version ORDER BY 1') ;;
    *) rows=$(query "SELECT CONCAT(repository_id, '=', version) FROM migrate_version ORDER BY 1") ;;
    esac
    printf '%s %s ' "${table%_version}" "$(printf '%s\n' "$rows" | paste -s -d , -)"
  done
}
position_in() {
  gzip -dc -- "$1" 2>/dev/null | head -n 100 |
    sed -n "s/^-- CHANGE MASTER TO MASTER_LOG_FILE='\([^']*\)', MASTER_LOG_POS=\([0-9]*\);.*/\1:\2/p"
}

# Of a table that was written meanwhile nobody can tell how many of its rows the dump holds.
rows_of() { awk -F '\t' 'NR == FNR { was[$1] = $2; next } was[$1] == $2' "$1" "$2" | listed; }
written() { awk -F '\t' 'NR == FNR { was[$1] = $2; next } was[$1] != $2' "$1" "$2" | listed; }
listed() { awk -F '\t' '{ gsub(/"/, "\\\""); printf "%s  \"%s\": %s", sep, $1, $2; sep = ",\n" } END { print "" }'; }

# write_manifest FINAL SUM BEGAN FROM: of the dump FINAL.part, with the counts FINAL.before and FINAL.after.
write_manifest() {
  if [ -n "${MASTER_DATA-}" ]; then from=$(position_in "$1.part") to=$from; else from=$4 to=$(logged); fi
  {
    echo '{'
    printf ' "dump": "%s",\n "run": "%s",\n' "${1##*/}" "$RECONCILER_RUN"
    printf ' "engine": "mariadb",\n "version": %s,\n' "$(quoted "$(query 'SELECT VERSION()')")"
    printf ' "place": %s,\n' "$(quoted "$dbname at $host:$port")"
    printf ' "began": "%s",\n "ended": "%s",\n' "$3" "$(stamp)"
    printf ' "binlog": {"from": %s, "to": %s},\n' "$(quoted "$from")" "$(quoted "$to")"
    printf ' "marker": %s,\n "structure": "%s",\n' "$(quoted "$(marker)")" "$(structure)"
    printf ' "data_bytes": %s,\n "bytes": %s,\n' "$((need * 1024))" "$(wc -c <"$1.part" | tr -d ' ')"
    printf ' "sha256": "%s",\n' "$2"
    printf ' "rows": {\n%s\n },\n' "$(rows_of "$1.before" "$1.after")"
    printf ' "written": {\n%s\n }\n}\n' "$(written "$1.before" "$1.after")"
  } >"$1.json.part"
  rm -f -- "$1.before" "$1.after"
  mv -f -- "$1.json.part" "$1.json"
  flush "$1.json"
}

# attested FINAL SUM: the manifest is the one that the journal knows, where it knows one, and tells of this dump.
attested() {
  [ -n "${MANIFEST-}" ] || return 0
  [ -f "$1.json" ] || unreadable "$1 has lost its manifest"
  [ "$(sha256sum <"$1.json" | cut -c 1-64)" = "$MANIFEST" ] || unreadable "$1.json is not the manifest of the journal"
  grep -qxF " \"sha256\": \"$2\"," "$1.json" || unreadable "$1 is not the dump of its manifest"
}
never_absent() { [ -z "${MANIFEST-}" ] || unreadable "$1 says there was no database; the journal knows its dump"; }
tell_manifest() { [ ! -f "$1.json" ] || value manifest "$(sha256sum <"$1.json" | cut -c 1-64)"; }
"""
