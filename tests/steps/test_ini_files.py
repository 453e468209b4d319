"""Every file of tests/cases/ini_files, edited by the real script: `.out` is what it is then, `.txt` why it was refused."""

from pathlib import Path

import pytest

from reconciler.steps import ini_options

CASES = sorted((Path(__file__).parent.parent / "cases" / "ini_files").glob("*.ini"))
EDITS = {
    "set": {"DEFAULT/debug": "true", "new section/hosts": ("a", "b")},
    "remove": ("DEFAULT/old",),
    "rename": {"DEFAULT/from": "other/to"},
}


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_case(path, sandbox):
    file = sandbox.root / "nova.conf"
    file.write_bytes(path.read_bytes())
    order = ini_options.effect(ini_options.Model(path=str(file), **EDITS))
    exited = sandbox.run(order)
    if (refused := path.with_suffix(".txt")).exists():
        assert exited.code != 0
        assert exited.output.replace(str(file), "FILE") == refused.read_text()
        assert file.read_bytes() == path.read_bytes()
        return
    assert exited.code == 0, exited.output
    assert file.read_bytes() == path.with_suffix(".out").read_bytes()
    assert sandbox.run(order).values == {"changed": "no"}
