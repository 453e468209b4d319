import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from reconciler.steps import ownership


@pytest.fixture
def tree(sandbox):
    top = sandbox.root / "lib nova"
    (top / "instances/1").mkdir(parents=True)
    (top / "instances/1/disk").write_text("x")
    (top / "odd ' $(id)").write_text("x")
    (top / "link").symlink_to("/etc/passwd")
    return top


@pytest.fixture
def act(sandbox, tree):
    def run(current="run-1", **args):
        sandbox.run_id = current
        model = ownership.Model.model_validate({"path": str(tree), "owner": f"{os.getuid()}:{os.getgid()}", **args})
        return sandbox.run(ownership.effect(model))

    return run


def owners(tree):
    return {each.name: (each.lstat().st_uid, each.lstat().st_gid) for each in (tree, *tree.rglob("*"))}


def test_a_tree_changes_hands_and_each_file_goes_back(tree, act):
    if os.getuid() == 0:
        os.chown(tree / "instances/1/disk", 64055, 108)
        os.lchown(tree / "link", 42436, 42436)
    before = owners(tree)
    new = "42436:42436" if os.getuid() == 0 else f"{os.getuid()}"
    for _ in range(2):
        exited = act(owner=new)
        assert exited.code == 0, exited.output
        assert exited.values == {"before": f"{os.getuid()}:{os.getgid()}", "files": "6"}
    if os.getuid() == 0:
        assert set(owners(tree).values()) == {(42436, 42436)}
        assert Path("/etc/passwd").stat().st_uid == 0
    (tree / "since").write_text("")
    for _ in range(2):
        assert act(current="run-2", owner=new, restore_from="run-1").code == 0
        assert owners(tree) == before | {"since": (os.getuid(), os.getgid())}
    assert "was not changed" in act(current="run-3", restore_from="self").output


def test_what_cannot_be_recorded_is_not_changed(tree, act):
    (tree / "two\nlines").write_text("")
    assert act().code == 1
    assert act(path=str(tree / "none")).code == 1
    assert act(path=str(tree / "link")).code == 1


@pytest.mark.parametrize("bad", [{"path": "lib"}, {"owner": "-R"}, {"owner": "a b"}, {"owner": "a:b:c"}, {"path": "/"}])
def test_bad_arguments_are_refused(bad):
    with pytest.raises(ValidationError):
        ownership.Model.model_validate({"path": "/x/y", "owner": "nova:nova", **bad})
