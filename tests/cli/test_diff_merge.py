"""`reconciler diff FROM TO`: two folders, or two commits of a repository."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import CASES, Call, conforms, shown
from tests.support.gitrepo import GitRepo

FLEET = CASES / "fleet"
SEEN = ("--observed", CASES / "observed/yoga.json")


def at(folder: Path, release: str) -> Path:
    """Copy the fleet, with another release in it."""
    shutil.copytree(FLEET, folder)
    file = folder / "services/keystone.yaml"
    file.write_text(file.read_text().replace('release: "2026.1"', f'release: "{release}"'))
    return folder


def test_a_merge_that_goes_further(call: Call, tmp_path: Path):
    found = call("diff", at(tmp_path / "now", "2023.1"), FLEET, *SEEN)
    assert found.exit_code == 1
    assert shown(CASES / "diff-merge.txt", found.stdout)


def test_the_contract(call: Call, tmp_path: Path):
    found = call("diff", at(tmp_path / "now", "2023.1"), FLEET, *SEEN, "-o", "json")
    merge = conforms("merge", found.stdout)
    (change,) = merge["changes"]
    assert change["change"] == "changes"
    assert change["before"]["services"][0]["route"] == ["yoga", "2023.1"]
    assert change["after"]["services"][0]["route"] == ["yoga", "2023.1", "2026.1"]
    assert "keystone.migrate.schema-sync.main.2026.1@ks1" in {step["id"] for step in change["added"]}


def test_the_same_is_exit_0(call: Call):
    found = call("diff", FLEET, FLEET, *SEEN)
    assert (found.exit_code, found.stdout) == (0, "no difference: the same plans, byte for byte\n")
    assert conforms("merge", call("diff", FLEET, FLEET, *SEEN, "-o", "json").stdout)["changes"] == []


def test_a_merge_after_which_nothing_is_to_be_done(call: Call, tmp_path: Path):
    done = ("--observed", CASES / "observed/done.json")
    found = call("diff", at(tmp_path / "now", "yoga"), FLEET, *done)
    assert found.exit_code == 1
    assert "the plan vanishes" in found.stdout


@pytest.mark.integration
def test_two_commits_of_a_repository(call: Call, tmp_path: Path):
    repo = GitRepo(tmp_path / "fleet.git")
    commits: list[str] = []
    for release in ("2023.1", "2026.1"):
        folder = at(tmp_path / release, release)
        files = {f"site/{path.relative_to(folder)}": path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        commits.append(repo.commit(repo.files(files), *commits[-1:]))
    place = ("--repo", repo.path, "--path", "site")
    found = call("diff", commits[0], "main", *place, *SEEN)
    assert found.exit_code == 1
    assert shown(CASES / "diff-merge.txt", found.stdout)
    assert call("diff", "main", commits[1][:10], *place, *SEEN).exit_code == 0
    for wrong in (("main", "nowhere", *place), ("main~1", "main", "--repo", repo.path), ("a", "b", "--repo", tmp_path)):
        refused = call("diff", *wrong, *SEEN)
        assert refused.exit_code == 2
        assert refused.stderr.startswith("error: ")
        assert "hint: " in refused.stderr


def test_what_cannot_be_told_is_exit_2(call: Call, tmp_path: Path):
    assert call("diff", FLEET, tmp_path / "none", *SEEN).exit_code == 2
    assert call("diff", FLEET, FLEET).exit_code == 2
    assert call("diff", FLEET, FLEET, "--observed", tmp_path / "none.json").exit_code == 2
    (at(tmp_path / "broken", "yoga") / "fleet.yaml").write_text("fleet: {nam: x}\n")
    found = call("diff", FLEET, tmp_path / "broken", *SEEN)
    assert found.exit_code == 2
    assert "fleet.yaml:1:9: error: unknown key 'nam'" in found.stderr
