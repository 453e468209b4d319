"""The structure files: their form, and what stands in those that are packaged."""

import json
import sqlite3
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.catalog import load_catalog
from reconciler.catalog.structure import expected_structure, structure_file
from reconciler.catalog.structure_file import HOWS, Run, StructureFile, read_file, write_file
from reconciler.domain.structure import Part, SchemaObject, Structure, read_object
from scripts import collect_structures

FOLDER = files("reconciler.catalog").joinpath("openstack", "structure")
PACKAGED = sorted(each.name.removesuffix(".txt") for each in FOLDER.iterdir())

SMALL = """# A title

engine mariadb
run ocata walk: thing 1.0
run pike fresh: thing 2.0
run pike walk: thing 2.0
run queens walk: thing 3.0

table hosts utf8mb3
  column id int not null
  column kind enum('a b','c') null  @ pike..
  primary (id)
  unique u (kind, id)  @ ocata
  foreign (id) references hosts (id)  @ queens, pike fresh

table late utf8mb3  @ pike
  column id int null
  index ix (id)  @ pike walk
"""
OBJECTS = {
    "table hosts utf8mb3": "ocata walk, pike fresh, pike walk, queens walk",
    "column hosts.id int not null": "ocata walk, pike fresh, pike walk, queens walk",
    "column hosts.kind enum('a b','c') null": "pike fresh, pike walk, queens walk",
    "primary hosts (id)": "ocata walk, pike fresh, pike walk, queens walk",
    "unique hosts.u (kind, id)": "ocata walk",
    "foreign hosts (id) references hosts (id)": "pike fresh, queens walk",
    "table late utf8mb3": "pike fresh, pike walk",
    "column late.id int null": "pike fresh, pike walk",
    "index late.ix (id)": "pike walk",
}


def test_a_file_is_read():
    found = read_file(SMALL)
    told = {str(each): ", ".join(sorted(f"{r.release} {r.how}" for r in runs)) for each, runs in found.objects.items()}
    assert told == OBJECTS
    assert found.releases == ("ocata", "pike", "queens")
    pike = found.expected("pike")
    assert pike is not None
    assert pike.origins == ("pike fresh: thing 2.0", "pike walk: thing 2.0")
    assert [len(run.objects) for run in pike.runs] == [7, 7]
    assert found.expected("rocky") is None


def test_a_file_is_written_as_it_was_read():
    assert write_file(read_file(SMALL), "A title") == SMALL


RUNS = [Run(release, how) for release in ("a", "b", "c", "d") for how in HOWS]
NAMES = st.sampled_from(["t", "u"])
OBJECT = st.builds(SchemaObject, st.sampled_from([*Part][1:4]), NAMES, st.sampled_from(["x", "y"]), st.just("(z)"))


@given(st.sets(st.sampled_from(RUNS), min_size=1), st.dictionaries(OBJECT, st.sets(st.sampled_from(RUNS))))
def test_any_stretches_come_back(runs, objects):
    known = {run: f"made by {run.how}" for run in RUNS if run in runs}
    left = {each: frozenset(having & runs) for each, having in objects.items() if having & runs}
    tables = {each.table for each in left}
    for name in tables:
        whole = frozenset(run for each, having in left.items() if each.table == name for run in having)
        left[SchemaObject(Part.TABLE, name, "", "utf8")] = whole
    file = StructureFile(engine="mariadb", runs=known, objects=left)
    assert read_file(write_file(file, "title")) == file


@pytest.mark.parametrize("line", ["nonsense", "  column id int null", "table", "run x", "#", "table t  @ newton.."])
def test_what_is_no_file_is_refused(line):
    with pytest.raises((ValueError, IndexError, TypeError)):
        read_file(f"engine mariadb\n{line}\n")


# ---------------------------------------------------------------- those that are packaged


@pytest.mark.parametrize("name", PACKAGED)
def test_a_packaged_file_is_as_the_script_writes_it(name):
    text = FOLDER.joinpath(f"{name}.txt").read_text("utf-8")
    service, _, database = name.partition(".")
    if text.startswith("same "):
        assert structure_file(service, database) == structure_file(service, text.split()[1])
        return
    file = read_file(text)
    assert write_file(file, text.splitlines()[0].removeprefix("# ")) == text
    series = load_catalog().series["openstack"]
    places = [series.find(run.release).index for run in file.runs]
    assert places == sorted(places)
    assert all(series.find(run.release).id == run.release for run in file.runs)
    assert all(run.how in HOWS and "MariaDB" in origin for run, origin in file.runs.items())
    for release in file.releases:
        found = expected_structure(service, database, release)
        assert found is not None
        assert all(run.tables for run in found.runs)


def test_no_code_no_fingerprint():
    assert expected_structure("keystone", "main", "ocata") is None
    assert expected_structure("keystone", "api", "train") is None
    assert expected_structure("swift", "main", "train") is None


# ---------------------------------------------------------------- the script that collects


def lines(path, *made):
    path.write_text("".join(json.dumps(each) + "\n" for each in made))
    return str(path)


def lite(path, *statements):
    with sqlite3.connect(path) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()
    return f"sqlite:///{path}"


def made(release, how, url, database="main"):
    return {
        "service": "demo",
        "database": database,
        "release": release,
        "how": how,
        "url": url,
        "origin": f"demo of {release}",
    }


def test_the_script_reads_databases_and_adds_to_what_is_there(tmp_path, capsys):
    old = lite(tmp_path / "old.db", "CREATE TABLE a (id INT)", "CREATE TABLE alembic_version (version_num INT)")
    new = lite(tmp_path / "new.db", "CREATE TABLE a (id INT, n INT)", "CREATE TABLE b (id INT)")
    into = ["--into", str(tmp_path / "out")]
    first = lines(tmp_path / "first", made("pike", "fresh", old), made("pike", "fresh", old, "other"))
    assert collect_structures.main([first, *into]) == 0
    assert (tmp_path / "out" / "demo.main.txt").read_text() == "same other\n"
    second = lines(tmp_path / "second", made("2024.1", "walk", new), made("pike", "walk", new))
    assert collect_structures.main([second, *into]) == 0
    assert (tmp_path / "out" / "demo.main.txt").read_text().partition("\n\n")[2] == (
        "engine sqlite\nrun pike fresh: demo of pike\nrun pike walk: demo of pike\nrun 2024.1 walk: demo of 2024.1\n\n"
        "table a\n  column id int null\n  column n int null  @ 2024.1, pike walk\n\n"
        "table b  @ 2024.1, pike walk\n  column id int null\n"
    )
    assert "demo.main.txt: 5 objects of 3 runs" in capsys.readouterr().out


def test_the_script_stops_at_what_it_cannot_read(tmp_path):
    gone = lines(tmp_path / "list", made("pike", "fresh", f"sqlite:///{tmp_path}/none.db"))
    with pytest.raises(SystemExit, match="not all can be read"):
        collect_structures.main([gone, "--into", str(tmp_path)])


def test_structures_of_two_engines_are_not_mixed():
    old = StructureFile(engine="mariadb", runs={Run("pike", "walk"): ""}, objects={})
    new = {
        collect_structures.Made(**made("pike", "fresh", "")): Structure("sqlite", frozenset({read_object("table a")}))
    }
    with pytest.raises(SystemExit, match="mariadb and sqlite"):
        collect_structures.merged(old, new)
