"""`reconciler rollback`, on real repositories."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import CASES, Call, conforms
from tests.cli.site import Site
from tests.support.sshd import running_sshd

pytestmark = pytest.mark.integration
FLEET = CASES / "fleet"


def git(clone: Path, *argv: str) -> str:
    done = subprocess.run(["git", "-C", clone, *argv], capture_output=True, check=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone in which keystone went from yoga to 2026.1, with a commit about something else on top."""
    folder = tmp_path / "clone"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    for key, value in (("name", "Ada"), ("email", "ada@example.org")):
        git(folder, "config", f"user.{key}", value)
    for path in FLEET.rglob("*"):
        if path.is_file():
            copy = folder / path.relative_to(FLEET)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    advance(folder, "2026.1", "yoga", "Begin")
    advance(folder, "yoga", "2026.1", "Advance keystone to 2026.1")
    (folder / "README").write_text("a page that the daemon does not read\n")
    commit(folder, "Explain the fleet")
    return folder


def advance(folder: Path, old: str, new: str, message: str) -> None:
    file = folder / "services/keystone.yaml"
    file.write_text(file.read_text().replace(f'release: "{old}"', f'release: "{new}"', 1))
    commit(folder, message)


def commit(folder: Path, message: str) -> None:
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", message)


def test_the_commit_stands_on_a_branch_and_the_clone_as_it_was(call: Call, clone: Path):
    head = git(clone, "rev-parse", "HEAD")

    found = call("rollback", "keystone", "--repo", clone)

    assert found.exit_code == 0
    assert found.stdout.splitlines()[0] == "keystone: 2026.1 back to yoga"
    assert "cannot be told from here" in found.stderr
    branch = "rollback-keystone-to-yoga"
    assert git(clone, "rev-parse", f"{branch}~1") == head
    assert git(clone, "log", "-1", "--format=%an: %s", branch) == 'Ada: Revert "Advance keystone to 2026.1"'
    assert git(clone, "diff", "--name-only", "main", branch) == "services/keystone.yaml"
    assert git(clone, "diff", "--stat", "main~2", branch, "--", "services") == ""
    assert (git(clone, "rev-parse", "HEAD"), git(clone, "status", "--porcelain")) == (head, "")


def test_the_contract(call: Call, clone: Path):
    told = conforms("rollback", call("rollback", "keystone", "--repo", clone, "-o", "json").stdout)
    assert (told["from"], told["to"]) == ("2026.1", "yoga")
    assert told["commit"] == git(clone, "rev-parse", told["branch"])
    assert told["reverts"] == git(clone, "rev-parse", "main~1")
    assert told["plan"] is None


def test_a_merge_is_reverted_as_a_whole(call: Call, clone: Path):
    git(clone, "checkout", "-q", "-b", "topic", "main~2")
    advance(clone, "yoga", "2025.1", "Aim at 2025.1")
    advance(clone, "2025.1", "2026.1", "No, at 2026.1")
    git(clone, "checkout", "-q", "-B", "main", "main~2")
    git(clone, "merge", "-q", "--no-ff", "-m", "Merge the advance", "topic")

    found = call("rollback", "keystone", "--repo", clone, "--branch", "back")

    assert found.exit_code == 0
    assert git(clone, "log", "-1", "--format=%s", "back") == 'Revert "Merge the advance"'
    assert git(clone, "diff", "--stat", "main~1", "back") == ""


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["keystne"], "has no service keystne"),
        (["keystone", "--revision", "nowhere"], "no commit 'nowhere'"),
        (["keystone", "--revision", "main~2"], "no commit before main~2 has another release"),
        (["keystone", "--branch", "main"], "branch main is there already"),
        (["keystone", "--repo", "/nonexistent"], "no git repository"),
    ],
)
def test_what_cannot_be_done_changes_nothing(call: Call, clone: Path, argv: list[str], said: str):
    before = git(clone, "for-each-ref")
    found = call("rollback", "--repo", clone, *argv)
    assert found.exit_code == 1
    assert said in found.stderr
    assert "hint: " in found.stderr
    assert git(clone, "for-each-ref") == before


def test_changes_that_conflict_are_named(call: Call, clone: Path):
    file = clone / "services/keystone.yaml"
    file.write_text(file.read_text().replace('release: "2026.1"', 'release: "2026.1"  # for ever', 1))
    commit(clone, "Say for how long")

    found = call("rollback", "keystone", "--repo", clone)

    assert found.exit_code == 1
    assert "later commits changed" in found.stderr
    assert "services/keystone.yaml" in found.stderr
    assert "rollback" not in git(clone, "branch")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with running_sshd(tmp_path / "sshd") as sshd:
        yield Site(tmp_path, sshd)


def test_the_daemons_journal_says_what_the_merge_will_do(call: Call, site: Site):
    config = site.settings()
    site.trust()
    site.want(site.fleet())
    assert call("run", "--once", "-c", config).exit_code == 0
    site.want(site.fleet("2023.1"))
    for key, value in (("name", "Ada"), ("email", "ada@example.org")):
        site.repo.git("config", f"user.{key}", value)

    found = call("rollback", "keystone", "--repo", site.repo.path, "-c", config)

    assert found.exit_code == 0
    assert "nothing that serves was touched yet" in found.stdout
