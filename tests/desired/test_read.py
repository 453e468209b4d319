from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.catalog import load_catalog
from reconciler.desired import Problem, Problems, load_procedures, read_desired
from reconciler.desired.problem import PRINTED
from reconciler.domain.desired import Desired
from reconciler.planning.action_forms import action_forms
from tests.desired.reading import ACTIONS as FEW_ACTIONS
from tests.desired.reading import BUILT_IN, CASES, files_of, read

HOME = Path(__file__).parent.parent.parent
EXAMPLES = ("keystone-environments", "keystone-packages")


def shipped() -> dict[str, bytes]:
    return files_of(HOME / "reconciler" / "catalog" / "procedures")


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_are_valid_with_what_is_shipped(example: str) -> None:
    desired = read_desired(
        files_of(HOME / "desired-state" / example), load_catalog, procedures=shipped(), actions=action_forms()
    )
    assert isinstance(desired, Desired), str(desired)
    assert desired.services["keystone"].hosts == ("ks1", "ks2", "ks3")


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_yaml_file_of_the_examples_names_its_schema(example: str) -> None:
    for path in (HOME / "desired-state" / example).rglob("*.yaml"):
        first = path.read_text().splitlines()[0]
        mark, _, place = first.partition("$schema=")
        assert mark == "# yaml-language-server: "
        assert (path.parent / place).resolve().is_relative_to(HOME / "schemas")
        assert (path.parent / place).is_file()


def test_shipped_procedures_obey_the_law() -> None:
    procedures = load_procedures(shipped(), action_forms())
    assert not isinstance(procedures, Problems), str(procedures)
    assert set(procedures) >= {"downtime", "fast-forward"}


def test_load_procedures_names_problems() -> None:
    problems = load_procedures(
        {"built-in x.yaml": BUILT_IN["downtime.yaml"]},
        {word: form for word, form in FEW_ACTIONS.items() if word != "backup"},
    )
    assert isinstance(problems, Problems)
    assert [str(each).partition(";")[0] for each in problems.items] == [
        "built-in x.yaml:7:46: error: unknown action 'backup'"
    ]


def test_the_order_of_files_does_not_matter() -> None:
    files = files_of(HOME / "tests" / "cases" / "desired" / "accepted" / "many-files")
    assert read(files) == read(dict(reversed(files.items())))


def test_problems_are_sorted_once_each_and_cut_when_printed() -> None:
    many = [Problem("a.yaml", line, 1, "wrong") for line in range(PRINTED + 7, 0, -1)]
    problems = Problems.of([*many, *many])
    assert len(problems.items) == PRINTED + 7
    assert str(problems).splitlines()[0] == "a.yaml:1:1: error: wrong"
    assert str(problems).splitlines()[-1] == "and 7 more"


def test_a_problem_stays_within_its_line() -> None:
    assert str(Problem("a\nb.yaml", 1, 2, "tag !\nfoo", "a\u202eb")) == "a\\nb.yaml:1:2: error: tag !\\nfoo; ab"


def test_much_yaml_is_refused_unread() -> None:
    problems = read({f"services/{name}.yaml": b"#" * (1 << 20) for name in range(9)})
    assert isinstance(problems, Problems)
    assert [each.what for each in problems.items] == ["the YAML files have 9437184 bytes together, more than 8388608"]


def test_reading_stops_after_very_many_problems() -> None:
    files = {f"services/{name:02}.yaml": b"a: b\n" * 5_000 for name in range(12)}
    problems = read({"fleet.yaml": b"fleet: {name: a}\n", **files})
    assert isinstance(problems, Problems)
    assert len(problems.items) < 2 * 10_000
    assert "services/10.yaml:1:1: error: this file and those after it were not read; correct the others" in {
        str(each) for each in problems.items
    }


def fleet_of(name: str) -> dict[str, bytes]:
    """A fleet that says `name` wherever a name may stand; JSON is YAML."""
    fleet = {
        "fleet": {"name": name},
        "hosts": {name: {"roles": [name], "zone": name}},
        "services": {
            name: {
                "component": "keystone",
                "series": "openstack",
                "release": "yoga",
                "procedure": "downtime",
                "roles": [name],
                "builds": {"*": {"packages": {"keystone": "1"}}},
                "secrets": {name: {"credential": name}},
                "canary": {"host": name},
            }
        },
    }
    return {"fleet.yaml": json.dumps(fleet).encode()}


@given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,30}", fullmatch=True))
@settings(deadline=None)
def test_an_accepted_name_survives(name: str) -> None:
    desired = read(fleet_of(name))
    assert isinstance(desired, Desired), str(desired)
    service = desired.services[name]
    assert (service.hosts, service.bootstrap, service.group) == ((name,), name, name)
    assert desired.hosts[name].address == name
    assert service.secrets[name].origin == name


@given(st.text(max_size=20))
@settings(deadline=None, max_examples=40)
def test_what_is_accepted_means_nothing_to_a_shell(name: str) -> None:
    desired = read(fleet_of(name))
    if isinstance(desired, Desired):
        printed = subprocess.run(["sh", "-c", f"printf %s {name}"], capture_output=True, check=True).stdout
        assert printed.decode() == name


PLACES = st.sampled_from(
    ["fleet.yaml", "hosts/a.yaml", "services/b.yaml", "probes/c.yaml", "procedures/d.yaml", "catalog/e.yaml", "files/f"]
)


@given(st.dictionaries(PLACES, st.binary(max_size=80), max_size=4))
@settings(deadline=None)
def test_no_files_raise(files: dict[str, bytes]) -> None:
    assert isinstance(read(files), Desired | Problems)


VALUES = st.recursive(
    st.text(max_size=8) | st.sampled_from(["keystone", "ks1", "{env}", "*", "yoga", "[1-3]", "true", "7"]),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=5), below, max_size=3),
    max_leaves=6,
)
HOST = st.dictionaries(st.sampled_from(["address", "roles", "labels", "login", "vars", "port", "state_dir"]), VALUES)
SERVICE = st.dictionaries(
    st.sampled_from(
        ["component", "series", "release", "procedure", "roles", "hosts", "bootstrap", "databases", "units", "versions",
         "builds", "config", "commands", "secrets", "backup", "canary", "waves", "verify", "overrides", "vars"]
    ),
    VALUES,
)  # fmt: skip


SECTIONS = st.sampled_from(["hosts", "groups", "services", "probes", "accept", "fleet"])


@given(st.dictionaries(SECTIONS, VALUES), HOST, SERVICE)
@settings(deadline=None)
def test_no_shapes_raise(fleet: dict[str, object], host: dict[str, object], service: dict[str, object]) -> None:
    files = {
        "fleet.yaml": json.dumps({"fleet": {"name": "demo"}, **fleet}).encode(),
        "hosts/a.yaml": json.dumps({"ks1": host}).encode(),
        "services/a.yaml": json.dumps({"keystone": service}).encode(),
    }
    assert isinstance(read(files), Desired | Problems)


def test_nobody_goes_to_a_savepoint_by_name() -> None:
    files = files_of(CASES / "refused" / "unknown-procedure")
    files |= {"fleet.yaml": files["fleet.yaml"].replace(b"fastforward", b"savepoint")}
    found = read_desired(files, load_catalog, procedures=shipped(), actions=action_forms())
    assert isinstance(found, Problems)
    assert "fleet.yaml:9:16: error: savepoint goes back to a savepoint, which the daemon does by itself" in str(found)
