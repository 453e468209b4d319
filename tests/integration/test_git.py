"""GitSource against real repositories, over file and ssh."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pygit2
import pytest

from reconciler.adapters.git import Follow, GitSource
from reconciler.adapters.git_mirror import GitAccess
from reconciler.adapters.git_pack import MOST_FILES
from tests.support.gitrepo import GitRepo
from tests.support.gitsshd import GitSshd, git_sshd, make_key

pytestmark = pytest.mark.integration

FLEET = {"fleet.yaml": b"name: lab\n", "files/keystone.conf": b"[DEFAULT]\n"}


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    return GitRepo(tmp_path / "remote.git")


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitSshd]:
    with git_sshd(tmp_path_factory.mktemp("ssh") / "sshd") as running:
        yield running


def source(repo: GitRepo, tmp_path: Path, url: str = "", **more: object) -> GitSource:
    return GitSource(url or f"file://{repo.path}", "main", tmp_path / "mirror", **more)


@pytest.mark.parametrize("form", ["file://{}", "{}"])
async def test_the_newest_revision_has_its_files_author_and_time(repo, tmp_path, form):
    commit = repo.commit(repo.files(FLEET), message="Move to Zed")

    state = await source(repo, tmp_path, form.format(repo.path)).latest("")

    assert state.problem == "", state.text
    assert state.revision is not None
    assert state.revision.commit == state.head == commit
    assert dict(state.revision.files) == FLEET
    assert list(state.revision.files) == sorted(FLEET)
    assert state.revision.author == "Ada <ada@example.org>"
    assert state.revision.message == "Move to Zed\n"
    assert state.revision.at.isoformat() == "2026-01-02T03:04:05+00:00"


async def test_paths_are_relative_to_the_folder_and_nothing_outside_it_matters(repo, tmp_path):
    inner = repo.files(FLEET)
    link = ("120000", b"link", repo.blob(b"/etc/shadow"))
    repo.commit(repo.tree([("40000", b"desired-state", inner), link]))

    state = await source(repo, tmp_path, follow=Follow("desired-state")).latest("")

    assert state.revision is not None
    assert dict(state.revision.files) == FLEET


async def test_a_missing_folder_is_refused(repo, tmp_path):
    repo.commit(repo.files(FLEET))
    state = await source(repo, tmp_path, follow=Follow("fleet.yaml")).latest("")
    assert (state.revision, state.problem) == (None, "SourceRefused")
    assert "fleet.yaml" in state.text


ODD_NAMES = {
    b"a\nb": "control character",
    "a\u202eb".encode(): "writing direction",
    "a\u200bb".encode(): "invisible",
    b"a\\b": "backslash",
    b"a.": "dot or a space",
    b"a ": "dot or a space",
    b"..": "leads elsewhere",
    b".GIT": "git's own folder",
    b"x" * 256: "256 bytes",
    b"\xff": "not UTF-8",
    "a\u0308".encode(): "NFC",
}


@pytest.mark.parametrize(("name", "why"), ODD_NAMES.items(), ids=[str(n[:12]) for n in ODD_NAMES])
@pytest.mark.parametrize("kind", ["100644", "40000"])
async def test_odd_names_are_refused_and_the_last_good_revision_stays(repo, tmp_path, name, why, kind):
    good = repo.commit(repo.files(FLEET))
    content = repo.blob(b"x") if kind == "100644" else repo.files(FLEET)
    bad = repo.commit(repo.tree([(kind, name, content)]), good)

    state = await source(repo, tmp_path).latest(good)

    assert (state.problem, state.head) == ("SourceRefused", bad)
    assert why in state.text
    assert state.text.isprintable()
    assert "\u202e" not in state.text
    assert state.revision is not None
    assert state.revision.commit == good


async def test_links_submodules_twins_large_files_and_lfs_are_all_named_at_once(repo, tmp_path):
    some = repo.blob(b"x")
    deep = repo.tree([("120000", b"link", repo.blob(b"/etc/shadow"))])
    bad = repo.tree(
        [
            ("40000", b"deep", deep),
            ("160000", b"module", "1" * 40),
            ("100644", b"Hosts.yaml", some),
            ("100644", b"hosts.yaml", some),
            ("100644", b"large", repo.blob(b"x" * (1 << 20) + b"x")),
            ("100644", b"lfs", repo.blob(b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n")),
        ]
    )
    repo.commit(bad)

    state = await source(repo, tmp_path).latest("")

    assert (state.revision, state.problem) == (None, "SourceRefused")
    for part in (
        "deep/link is a symbolic link",
        "module is a submodule",
        "hosts.yaml differs only in case from Hosts.yaml",
        "large has 1048577 bytes",
        "lfs is a pointer",
    ):
        assert part in state.text


async def test_caps_on_count_bytes_and_depth(repo, tmp_path):
    some = repo.blob(b"x")
    mega = repo.blob(b"x" * (1 << 20))
    many = repo.tree([("100644", b"%05d" % n, some) for n in range(1001)])
    wide = repo.tree([("40000", b"%02d" % n, many) for n in range(10)])
    deep = repo.files(FLEET)
    for _ in range(40):
        deep = repo.tree([("40000", b"d", deep)])
    cases = {
        wide: "more than 10000 files",
        repo.tree([("100644", b"%02d" % n, mega) for n in range(65)]): "more than 67108864 bytes",
        deep: "deeper than 32",
    }
    for tree, why in cases.items():
        repo.commit(tree)
        state = await source(repo, tmp_path).latest("")
        assert state.problem == "SourceRefused"
        assert why in state.text


async def test_a_rewritten_history_keeps_the_accepted_revision_until_the_head_is_accepted(repo, tmp_path):
    first = repo.commit(repo.files(FLEET), message="first")
    second = repo.commit(repo.files(FLEET), first, message="second")
    git = source(repo, tmp_path)
    assert (await git.latest(first)).revision.commit == second
    other = repo.commit(repo.files(FLEET), first, message="other")

    state = await git.latest(second)

    assert (state.problem, state.head) == ("HistoryRewritten", other)
    assert f"accept-history {other}" in state.hint
    assert state.revision.commit == second
    assert (await git.latest(other)).revision.commit == other


async def test_an_accepted_commit_that_is_nowhere_is_a_rewritten_history_without_a_revision(repo, tmp_path):
    repo.commit(repo.files(FLEET))
    state = await source(repo, tmp_path).latest("1" * 40)
    assert (state.problem, state.revision) == ("HistoryRewritten", None)


async def test_a_merge_is_a_descendant(repo, tmp_path):
    first = repo.commit(repo.files(FLEET), message="first")
    side = repo.commit(repo.files(FLEET), first, message="side", branch="side")
    main = repo.commit(repo.files(FLEET), first, message="main")
    merge = repo.commit(repo.files(FLEET), main, side, message="merge")
    for accepted in (first, side, main, merge):
        assert (await source(repo, tmp_path).latest(accepted)).revision.commit == merge


async def test_an_unreachable_remote_keeps_the_last_good_revision(repo, tmp_path):
    good = repo.commit(repo.files(FLEET))
    await source(repo, tmp_path).latest("")
    shutil.rmtree(repo.path)

    state = await source(repo, tmp_path).latest(good)

    assert (state.problem, state.head) == ("SourceUnreachable", good)
    assert state.hint
    assert state.revision.commit == good
    assert (await source(repo, tmp_path).latest("")).revision is None


async def test_a_missing_branch_is_no_reason_to_follow_another(repo, tmp_path):
    good = repo.commit(repo.files(FLEET))
    await source(repo, tmp_path).latest("")
    repo.git("branch", "-m", "main", "trunk")

    state = await source(repo, tmp_path).latest(good)

    assert state.problem == "SourceUnreachable"
    assert "no branch main" in state.text
    assert "trunk" in state.text
    assert state.revision.commit == good


async def test_an_empty_repository_is_named(repo, tmp_path):
    state = await source(repo, tmp_path).latest("")
    assert (state.revision, state.problem) == (None, "SourceUnreachable")
    assert "is empty" in state.text


@pytest.mark.parametrize("damage", ["head", "objects", "truncated", "references"])
async def test_a_damaged_mirror_is_cloned_again(repo, tmp_path, damage):
    first = repo.commit(repo.files(FLEET), message="first")
    second = repo.commit(repo.files({"fleet.yaml": os.urandom(4096)}), first, message="second")
    await source(repo, tmp_path).latest("")
    mirror = tmp_path / "mirror"
    if damage == "head":
        (mirror / "HEAD").unlink()
    if damage == "references":
        (mirror / "refs" / "heads" / "seen").write_text("garbage")
    objects = [path for path in (mirror / "objects").rglob("*") if path.is_file()]
    assert objects
    for path in objects:
        path.chmod(0o644)
        if damage == "objects":
            path.unlink()
        if damage == "truncated":
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    state = await source(repo, tmp_path).latest(first)

    assert state.problem == "", state.text
    assert state.revision.commit == second
    assert not (tmp_path / "mirror.old").exists()


async def test_a_damaged_mirror_is_kept_when_the_remote_is_away(repo, tmp_path):
    good = repo.commit(repo.files(FLEET))
    await source(repo, tmp_path).latest("")
    (tmp_path / "mirror" / "refs" / "heads" / "seen").write_text("garbage")
    repo.path.rename(tmp_path / "away")

    state = await source(repo, tmp_path).latest(good)
    assert state.problem == "SourceUnreachable"
    assert state.revision.commit == good
    (tmp_path / "away").rename(repo.path)
    assert (await source(repo, tmp_path).latest(good)).revision.commit == good


async def test_a_clone_that_was_killed_between_its_renames_is_found_again(repo, tmp_path):
    good = repo.commit(repo.files(FLEET))
    await source(repo, tmp_path).latest("")
    (tmp_path / "mirror").rename(tmp_path / "mirror.old")
    shutil.rmtree(repo.path)

    assert (await source(repo, tmp_path).latest(good)).revision.commit == good


async def test_a_known_commit_can_be_read_and_others_are_none(repo, tmp_path):
    first = repo.commit(repo.files({"fleet.yaml": b"old\n"}))
    repo.commit(repo.files(FLEET), first)
    git = source(repo, tmp_path)
    assert await git.revision(first) is None
    await git.latest("")
    assert (await git.revision(first)).files == {"fleet.yaml": b"old\n"}
    for other in ("1" * 40, "main", first[:10], "", repo.git("rev-parse", f"{first}^{{tree}}")):
        assert await git.revision(other) is None


async def test_too_large_a_fetch_is_ended(repo, sshd, tmp_path):
    repo.commit(repo.files({"fleet.yaml": os.urandom(1 << 20)}))
    access = ssh_access(sshd, tmp_path, sshd.host_key, max_bytes=100_000)
    state = await source(repo, tmp_path, sshd.url(repo.path), access=access).latest("")
    assert (state.revision, state.problem) == (None, "SourceUnreachable")
    assert "more than 100000 bytes" in state.text


def ssh_access(sshd: GitSshd, tmp_path: Path, key: str, **more: object) -> GitAccess:
    known = tmp_path / "known_hosts"
    known.write_text(sshd.known_hosts(key) if key else "")
    return GitAccess(**{"ssh_key": sshd.client_key, "known_hosts": known, "timeout_s": 20, **more})


async def test_ssh_with_a_key_and_a_pinned_host_key(repo, sshd, tmp_path):
    first = repo.commit(repo.files({"fleet.yaml": b"old\n"}))
    git = source(repo, tmp_path, sshd.url(repo.path), access=ssh_access(sshd, tmp_path, sshd.host_key))
    assert (await git.latest("")).revision.commit == first
    second = repo.commit(repo.files(FLEET), first)
    state = await git.latest(first)
    assert state.problem == "", state.text
    assert state.revision.commit == second


@pytest.mark.parametrize("pinned", ["other", "none", "no file"])
async def test_ssh_without_the_right_pinned_host_key_is_refused(repo, sshd, tmp_path, pinned):
    repo.commit(repo.files(FLEET))
    access = ssh_access(sshd, tmp_path, make_key(tmp_path / "other") if pinned == "other" else "")
    if pinned == "no file":
        access.known_hosts.unlink()
    state = await source(repo, tmp_path, sshd.url(repo.path), access=access).latest("")
    assert (state.revision, state.problem) == (None, "SourceUnreachable")
    assert "SSH host key" in state.text


async def test_ssh_with_a_key_that_the_remote_does_not_know(repo, sshd, tmp_path):
    repo.commit(repo.files(FLEET))
    make_key(tmp_path / "stranger")
    access = ssh_access(sshd, tmp_path, sshd.host_key, ssh_key=tmp_path / "stranger")
    state = await source(repo, tmp_path, sshd.url(repo.path), access=access).latest("")
    assert (state.revision, state.problem) == (None, "SourceUnreachable")
    assert "refuses the key" in state.text


async def test_a_server_that_accepts_and_says_nothing_is_given_up(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for scheme in ("http", "ssh"):
            url = f"{scheme}://127.0.0.1:{silent.getsockname()[1]}/x.git"
            access = GitAccess(timeout_s=0.5, connect_timeout_s=0.5)
            state = await GitSource(url, "main", tmp_path / scheme, access=access).latest("")
            assert (state.revision, state.problem) == (None, "SourceUnreachable")
            assert url in state.text


@pytest.mark.parametrize(
    "url", ["git://127.0.0.1/x", "ext::sh -c id", "nowhere.invalid:x.git", "https://u:hunter2@127.0.0.1:1/x", "", "rel"]
)
async def test_urls_that_lead_nowhere_are_unreachable_and_show_no_password(tmp_path, url):
    state = await GitSource(url, "main", tmp_path / "m", access=GitAccess(timeout_s=5)).latest("")
    assert (state.revision, state.problem) == (None, "SourceUnreachable")
    assert "hunter2" not in repr(state)


async def test_a_repository_of_another_object_format_is_named(tmp_path):
    subprocess.run(["git", "init", "-q", "--bare", "--object-format=sha256", tmp_path / "remote.git"], check=True)
    state = await GitSource(f"file://{tmp_path}/remote.git", "main", tmp_path / "mirror").latest("")
    assert (state.revision, state.problem) == (None, "SourceUnreachable")
    assert "unknown object format 'sha256'" in state.text


async def test_a_remote_that_lost_what_lies_behind_its_newest_commit_is_not_followed(repo, tmp_path):
    accepted = repo.commit(repo.files(FLEET))
    head = repo.commit(repo.files({"fleet.yaml": b"name: two\n"}), accepted)
    shallow = ["git", "clone", "-q", "--bare", "--depth", "1", f"file://{repo.path}", tmp_path / "shallow.git"]
    subprocess.run(shallow, check=True)

    state = await source(repo, tmp_path, f"file://{tmp_path}/shallow.git").latest(accepted)

    assert (state.revision, state.head, state.problem) == (None, head, "HistoryRewritten")


async def test_a_mirror_of_many_fetches_is_packed_and_loses_nothing(repo, tmp_path):
    first = repo.commit(repo.files(FLEET))
    following = source(repo, tmp_path)
    await following.latest("")
    mirror = pygit2.Repository(str(tmp_path / "mirror"))
    blobs = [
        mirror.create_blob(b"as from a branch that was rewritten: %d" % number) for number in range(MOST_FILES + 1)
    ]
    (tmp_path / "mirror/objects/pack.new").mkdir()
    (tmp_path / "mirror/objects/pack.new/half").touch()

    repo.commit(repo.files({**FLEET, "new": b""}), first)
    state = await following.latest(first)

    assert (state.problem, state.revision.files["new"]) == ("", b"")
    assert (await following.revision(first)).commit == first
    mirror = pygit2.Repository(str(tmp_path / "mirror"))
    assert all(mirror[blob].data for blob in blobs)
    objects = tmp_path / "mirror/objects"
    assert len([*objects.glob("pack/*")]) + len([*objects.glob("[0-9a-f][0-9a-f]/*")]) == 2
    assert not (objects / "pack.new").exists()


async def test_a_mirror_that_cannot_be_packed_is_followed_all_the_same(repo, tmp_path):
    first = repo.commit(repo.files(FLEET))
    following = source(repo, tmp_path)
    await following.latest("")
    mirror = pygit2.Repository(str(tmp_path / "mirror"))
    for number in range(MOST_FILES + 1):
        mirror.create_blob(b"%d" % number)
    (tmp_path / "mirror/objects/pack.new").touch()

    newest = repo.commit(repo.files({**FLEET, "new": b""}), first)

    assert (await following.latest(first)).revision.commit == newest
