"""What a dump of SQLite holds, as its manifest tells it: FINAL.json beside the dump, as with MariaDB."""

from __future__ import annotations

MANIFEST = r'''
def stamp():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())

def held(database):
    """The structure of a database as a digest, and the rows of its tables."""
    told = sorted(map(repr, database.execute("SELECT type, name, tbl_name, sql FROM sqlite_master")))
    found = database.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1").fetchall()
    quoted = {name: '"%s"' % name.replace('"', '""') for (name,) in found if not name.startswith("sqlite_")}
    rows = {name: database.execute("SELECT COUNT(*) FROM " + quoted[name]).fetchone()[0] for name in quoted}
    return {"structure": hashlib.sha256("\n".join(told).encode()).hexdigest(), "rows": rows, "marker": marker(database)}

def marker(database):
    found = []
    there = {row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if "alembic_version" in there:
        rows = database.execute("SELECT version_num FROM alembic_version ORDER BY 1")
        found += ["alembic", ",".join(row[0] for row in rows)]
    if "migrate_version" in there:
        rows = database.execute("SELECT repository_id, version FROM migrate_version ORDER BY 1")
        found += ["migrate", ",".join("%s=%s" % row for row in rows)]
    return " ".join(found)

def write_manifest(final, told):
    with open(final + ".json.part", "w") as file:
        json.dump(told, file, indent=1)
        file.write("\n")
    flush(final + ".json.part")
    os.replace(final + ".json.part", final + ".json")

def attested(final, total):
    """The manifest is the one that the journal knows, where it knows one, and tells of this dump."""
    known = os.environ.get("MANIFEST", "")
    if not known:
        return
    if not total:
        unreadable("%s says there was no database; the journal knows its dump" % final)
    if not os.path.exists(final + ".json"):
        unreadable("%s has lost its manifest" % final)
    if sha256(final + ".json") != known:
        unreadable("%s.json is not the manifest of the journal" % final)
    with open(final + ".json") as file:
        if json.load(file)["sha256"] != total:
            unreadable("%s is not the dump of its manifest" % final)
'''
