"""Dump and restore of a SQLite database, by the host's own Python."""

from __future__ import annotations

from reconciler.steps._place import PLACE
from reconciler.steps._shell import PRELUDE
from reconciler.steps._sqlite_manifest import MANIFEST

_CALL = r"""
present=
[ "$keep_present" != yes ] || present=$now/$name.present
source=$1 python=$2
shift 2
if [ "$verb" = space ]; then
  [ -f "$source" ] || { value absent yes; exit 0; }
  size=0
  for side in '' -wal -shm -journal; do
    [ ! -f "$source$side" ] || size=$((size + $(stat -c %s -- "$source$side") / 1024 + 1))
  done
  ask_for "$size"
  exit 0
fi
"$python" -I - "$verb" "$source" "$then/$name" "$present" "$@" <<'PYTHON'
"""

FUNCTIONS = r'''
import hashlib, json, os, shutil, sqlite3, sys, time
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
    asked = need + need // 5 + (1 << 20)
    if asked > free:
        text = "no space in %s: %s has %d bytes; with a fifth to spare %d are wanted, and %d are free"
        print(text % (os.path.dirname(final), source, need, asked, free), file=sys.stderr)
        sys.exit(73)
    part = final + ".part"
    for side in ("",) + SIDES:
        if os.path.exists(part + side):
            os.remove(part + side)
    began = stamp()
    with closing(connect(source, "mode=rw")) as old, closing(sqlite3.connect(part)) as new:
        # Taken once and held: `backup` would wait for a lock for ever.
        old.execute("BEGIN")
        old.execute("SELECT * FROM sqlite_master").fetchone()
        old.backup(new)
        told = held(old)
    own(part, os.stat(source))
    flush(part)
    check(part)
    total = sha256(part)
    with open(final + ".sha256", "w") as file:
        file.write("%s  %s\n" % (total, os.path.basename(final)))
    flush(final + ".sha256")
    about = {"dump": os.path.basename(final), "run": os.environ["RECONCILER_RUN"], "began": began, "ended": stamp()}
    about.update(engine="sqlite", version=sqlite3.sqlite_version, place=source, sha256=total)
    write_manifest(final, dict(about, bytes=os.path.getsize(part), data_bytes=need, written={}, **told))
    os.replace(part, final)
    flush(os.path.dirname(final))
    print("dumped: %s" % final)
    return total
'''

_VERBS = r"""
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
    if os.path.exists(final + ".json"):
        value("manifest", sha256(final + ".json"))

# Returns the checksum of the dump; empty where there was no database.
def read_back(base):
    final = base + ".sqlite"
    if os.path.exists(base + ".absent"):
        attested(base + ".absent", "")
        value("absent", "yes")
        return ""
    if not os.path.exists(final):
        unreadable("%s is not there" % final)
    total = whole(final)
    attested(final, total)
    value("path", final)
    value("sha256", total)
    return total

def restore(source, base, present):
    final = base + ".sqlite"
    total = read_back(base)
    absent = not total
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
    if not absent:
        os.replace(new, source)
    if os.path.isdir(os.path.dirname(source)):
        flush(os.path.dirname(source))

verb, source, base, present = sys.argv[1:]
try:
    if verb == "backup":
        backup(source, base)
    elif verb == "read_back":
        read_back(base)
    else:
        restore(source, base, present)
except (OSError, sqlite3.Error) as error:
    sys.exit("%s: %s" % (source, error))
"""


def program(verbs: str) -> str:
    """Return a script that runs these functions and `verbs`; argv is VERB SOURCE BASE PRESENT, and what comes after."""
    return PRELUDE + PLACE + _CALL + FUNCTIONS.lstrip() + MANIFEST + verbs + "PYTHON\n"


BODY = program(_VERBS)
