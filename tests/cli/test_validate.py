from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import CASES, ROOT, Call, lines


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    shutil.copytree(CASES / "fleet", tmp_path / "fleet")
    return tmp_path / "fleet"


EXAMPLES = sorted(path.parent for path in (ROOT / "desired-state").rglob("fleet.yaml"))


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda path: path.name)
def test_the_examples_are_valid(call: Call, folder: Path):
    found = call("validate", folder)
    assert (found.exit_code, found.stdout) == (0, "")


def test_every_error_is_listed_with_its_place(call: Call, fleet: Path):
    service = fleet / "services/keystone.yaml"
    text = service.read_text().replace("procedure: fast-forward", "procedure: fast-foward")
    service.write_text(text.replace('release: "2026.1"', "release: gazpacho1"))
    found = call("validate", fleet)
    assert found.exit_code == 1
    assert found.stderr == ""
    assert lines(found.stdout) == [
        f"{service}:3:12: error: unknown release 'gazpacho1' of series openstack; did you mean gazpacho?",
        f"{service}:4:14: error: unknown procedure 'fast-foward'; did you mean fast-forward?",
    ]


def test_the_file_itself_may_be_named(call: Call, fleet: Path):
    assert call("validate", fleet / "fleet.yaml").exit_code == 0


def test_what_git_would_refuse_is_refused(call: Call, fleet: Path):
    (fleet / "hosts/more.yaml").symlink_to("control.yaml")
    (fleet / "hosts/a\tb.yaml").write_text("")
    found = call("validate", fleet)
    assert found.exit_code == 1
    assert f"{fleet}/hosts/more.yaml:1:1: error: is a symlink" in found.stdout
    assert "control character" in found.stdout
    assert "\t" not in found.stdout


def test_the_git_folder_is_not_looked_into(call: Call, fleet: Path):
    (fleet / ".git").mkdir()
    (fleet / ".git/HEAD").symlink_to("nowhere")
    assert call("validate", fleet).exit_code == 0


def test_no_folder_is_an_error(call: Call, tmp_path: Path):
    found = call("validate", tmp_path / "none")
    assert found.exit_code == 1
    assert found.stderr.startswith(f"error: {tmp_path}/none does not exist\nhint: ")


def test_binary_rubbish_is_an_error_and_no_traceback(call: Call, fleet: Path):
    (fleet / "fleet.yaml").write_bytes(bytes(range(256)))
    found = call("validate", fleet)
    assert found.exit_code == 1
    assert found.stdout == f"{fleet}/fleet.yaml:3:115: error: the file is not UTF-8; save it as UTF-8\n"
