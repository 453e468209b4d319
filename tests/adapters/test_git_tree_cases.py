"""Every recipe of tests/cases/git_trees: the files that are read of it, what is refused, or that the copy is damaged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reconciler.adapters.git_mirror import BROKEN
from reconciler.adapters.git_tree import read_tree
from tests.support.gittree import committed

CASES = sorted((Path(__file__).parent.parent / "cases" / "git_trees").glob("*.json"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_case(path: Path, tmp_path: Path) -> None:
    case = json.loads(path.read_text())
    repository, commit = committed(tmp_path / "git", case["tree"])
    if case.get("damaged"):
        with pytest.raises(BROKEN):
            read_tree(repository, commit, case.get("folder", ""))
        return
    tree = read_tree(repository, commit, case.get("folder", ""))
    assert case["files"] in (sorted(tree.files), len(tree.files))
    assert tree.problems == case["problems"]
    assert all(problem.isprintable() for problem in tree.problems)
