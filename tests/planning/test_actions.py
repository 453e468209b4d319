"""What the words of procedures turn into, where a word has something to get wrong."""

from __future__ import annotations

from dataclasses import replace

from reconciler.catalog.load import load_catalog
from reconciler.domain.desired import BuildSpec
from reconciler.domain.position import HostPosition
from reconciler.domain.procedure import ActionSpec
from reconciler.planning.actions import expand
from reconciler.planning.setting import Draft, Setting
from reconciler.steps import environment
from tests.support.sample import DESIRED, KEYSTONE


def on_a_hop(position: HostPosition | None = None) -> Setting:
    return Setting(
        service=KEYSTONE,
        desired=DESIRED,
        catalog=load_catalog(),
        host=DESIRED.hosts["ks1"],
        position=position,
        start="yoga",
        goal="2023.1",
    )


def test_a_switch_is_undone_whatever_the_older_environment_was_made_from():
    setting = on_a_hop(HostPosition(host="ks1", release="yoga", link_path="/srv/keystone/yoga"))
    (draft,) = expand(setting, ActionSpec("install_build"))
    assert draft.undo is not None
    assert draft.undo.title == "switch keystone back to yoga"
    undo = environment.Model.model_validate(draft.undo.args)
    assert undo.path == "/srv/keystone/yoga"
    assert environment.digest(undo) == ""
    assert environment.digest(environment.Model.model_validate(draft.args)) != ""


def test_a_command_is_undone_by_another_one_if_it_says_by_which():
    setting = on_a_hop()
    args = {"argv": ["true", "{host}"], "ok": [0, 3], "back": ["chown", "-R", "nova:nova", "/var/lib/{service}"]}
    (draft,) = expand(setting, ActionSpec("command", args))
    assert draft.args == {"argv": ["true", "ks1"], "ok": [0, 3]}
    assert draft.undo is not None
    assert draft.undo.args == {"argv": ["chown", "-R", "nova:nova", "/var/lib/keystone"], "ok": [0]}
    assert draft.undo.title == "chown -R nova:nova /var/lib/keystone"

    (draft,) = expand(setting, ActionSpec("command", {"argv": ["true"]}))
    assert draft.undo is None


def test_what_has_no_way_back_is_the_point_of_no_return():
    setting = on_a_hop()
    orders = ({"do": "require", "release": "jewel"}, {"do": "flag", "flag": "noout"})
    drafts = [draft for args in orders for draft in expand(setting, ActionSpec("ceph", args))]
    assert [draft.point_of_no_return for draft in drafts] == [True, False]


def checked(code: str = "prepared", **changes: object) -> list[Draft]:
    service = replace(KEYSTONE, **changes)
    setting = Setting(
        service=service,
        desired=DESIRED,
        catalog=load_catalog(),
        host=DESIRED.hosts["ks1"],
        position=None,
        start="yoga",
        goal="2023.1",
        origin="yoga",
        stops=("yoga", "2023.1", "2025.1"),
    )
    spec = ActionSpec("upgrade_check", {"code": code})
    first = expand(setting, spec)
    later = expand(replace(setting, start="2023.1", goal="2025.1"), spec)
    assert later == ()
    return list(first)


def test_the_goals_own_check_runs_where_git_says_how_it_is_called_and_knows_the_lies_of_the_catalog():
    assert checked() == []
    (draft,) = checked(commands={**KEYSTONE.commands, "keystone-status": ("{env}/bin/keystone-status",)})
    assert draft.args["argv"] == ["/srv/keystone/2023.1/bin/keystone-status", "upgrade", "check"]
    assert [each["codes"] for each in draft.args["lies"]] == [[1]]


def test_packages_are_asked_once_they_are_installed_and_what_was_prepared_is_not_asked_again():
    status = {**KEYSTONE.commands, "keystone-status": ("/usr/bin/keystone-status",)}
    packages = {"*": BuildSpec(form="packages", packages={"keystone": "{version}"})}
    assert checked(commands=status, builds=packages) == []
    (draft,) = checked("installed", commands=status, builds=packages)
    assert draft.args["argv"] == ["/usr/bin/keystone-status", "upgrade", "check"]
    assert checked("installed", commands=status) == []
