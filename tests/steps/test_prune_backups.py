"""Backup sets removed by the real script."""

import pytest
from pydantic import ValidationError

from reconciler.domain.outcome import Done
from reconciler.steps import Evidence, prune_backups


@pytest.fixture
def folder(sandbox):
    made = sandbox.root / "backups"
    for run in ("r1", "r2", "r3"):
        (made / run).mkdir(parents=True)
        for name in ("k.main.sql.gz", "k.main.sql.gz.sha256", "k.main.sql.gz.json"):
            (made / run / name).write_text("1234")
    (made / "r2/other.main.sql.gz").write_text("another service's")
    return made


@pytest.fixture
def act(sandbox, folder):
    def run(*files):
        args = prune_backups.Model(service="k", dir=str(folder), keep=1, files=files)
        effect = prune_backups.effect(args)
        assert effect is not None
        return prune_backups.judge(args, Evidence(sandbox.run(effect)))

    return run


def test_dumps_go_with_what_lies_beside_them_and_others_stay(folder, act):
    done = act("r1/k.main.sql.gz", "r2/k.main.sql.gz")

    assert isinstance(done, Done), done
    assert done.values == {"removed": "r1 r2", "freed": "24"}
    left = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    assert left == ["r2/other.main.sql.gz", *(f"r3/k.main.sql.gz{end}" for end in ("", ".json", ".sha256"))]
    assert not (folder / "r1").exists()


def test_what_an_attempt_has_removed_whose_end_nobody_saw_counts_as_removed(act):
    act("r1/k.main.sql.gz")
    done = act("r1/k.main.sql.gz")
    assert isinstance(done, Done)
    assert done.values == {"removed": "r1", "freed": "0"}


@pytest.mark.parametrize("file", ["../etc/passwd", "r1/../../x", "/etc/passwd", "r1", "r1/.x", "r1/a/b", "-rf/x y"])
def test_nothing_outside_of_the_folder_can_be_named(file):
    with pytest.raises(ValidationError):
        prune_backups.Model(service="k", dir="/b", keep=1, files=(file,))


def test_a_policy_is_needed():
    with pytest.raises(ValidationError, match="how many sets"):
        prune_backups.Model(service="k", dir="/b")
