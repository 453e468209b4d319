from __future__ import annotations

import getpass

from reconciler.cli.world import caller


def test_a_command_bears_the_name_of_the_person_behind_sudo():
    me = getpass.getuser()
    assert caller({}) == me
    assert caller({"SUDO_USER": me}) == me
    assert caller({"SUDO_USER": "ada"}) == f"ada (sudo {me})"
