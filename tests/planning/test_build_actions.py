"""What each form of a build turns into."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.catalog.load import load_catalog
from reconciler.domain.desired import BuildSpec, ContainerSpec
from reconciler.domain.plan import Undo
from reconciler.domain.position import HostPosition
from reconciler.domain.procedure import ActionSpec
from reconciler.planning.actions import expand
from reconciler.planning.setting import Draft, Setting
from reconciler.steps import kinds
from tests.support.sample import DESIRED, KEYSTONE

CONTAINER = BuildSpec(
    form="container",
    containers=(
        ContainerSpec(
            name="keystone",
            image="registry.example/kolla/keystone:{version}",
            engine="docker",
            network="host",
            kolla="/etc/kolla/{service}",
            mounts=("/run:/run:shared",),
            env={"REGION": "{region}"},
        ),
    ),
)
RPM = BuildSpec(form="rpm", packages={"openstack-keystone": "1:{version}-1.el9"})
DEB = BuildSpec(form="packages", packages={"keystone": "2:{version}-0ubuntu1"})


def drafts(build: BuildSpec, *words: str, position: HostPosition | None = None, start: str = "yoga") -> list[Draft]:
    setting = Setting(
        service=replace(KEYSTONE, builds={"yoga": DEB, "2023.1": build}),
        desired=DESIRED,
        catalog=load_catalog(),
        host=DESIRED.hosts["ks1"],
        position=position or HostPosition(host="ks1", release=start),
        start=start,
        goal="2023.1",
        stops=("yoga", "2023.1"),
    )
    found = [draft for word in words for draft in expand(setting, ActionSpec(word))]
    for draft in found:  # all that a plan holds can be carried out
        kinds()[draft.kind].Model.model_validate(draft.args)
        if draft.undo:
            kinds()[draft.undo.kind].Model.model_validate(draft.undo.args)
    return found


def test_images_are_pulled_ahead_and_containers_come_with_the_start():
    found = drafts(CONTAINER, "prepare_build", "install_build", "start")

    assert [(draft.kind, draft.args["action"]) for draft in found] == [("container", "pull"), ("container", "replace")]
    assert found[0].args["image"] == "registry.example/kolla/keystone:23.0.2"
    assert found[1].args["env"] == {"REGION": "RegionOne"}
    assert found[1].args["kolla"] == {"folder": "/etc/kolla/keystone"}
    assert found[1].undo is not None
    assert found[1].undo.args["action"] == "back"


def test_units_that_give_way_to_containers_stay_away_at_boot_and_come_back_with_the_way_back():
    (stop,) = drafts(CONTAINER, "stop")

    assert (stop.kind, stop.args["enable"], stop.args["absent_ok"]) == ("units", False, True)
    assert stop.undo == Undo("units", {**stop.undo.args, "state": "started", "enable": True}, "start keystone")


def test_a_container_that_is_there_is_stopped():
    at = HostPosition(host="ks1", release="2023.1", containers=frozenset({"keystone", "other"}))

    found = drafts(CONTAINER, "stop", position=at, start="2023.1")

    assert [(draft.kind, draft.args.get("name")) for draft in found] == [("container", "keystone"), ("units", None)]
    assert found[0].args["host"] == "ks1"
    assert found[0].undo is not None
    assert (found[0].undo.args["of"], found[0].undo.args["host"]) == ("stop", "ks1")


@pytest.mark.parametrize(("build", "kind"), [(RPM, "rpm_packages"), (DEB, "deb_packages")])
def test_packages_are_fetched_then_installed_and_brought_back_by_version(build: BuildSpec, kind: str):
    (name,) = build.packages
    at = HostPosition(host="ks1", release="yoga", packages={name: "1:1-1", "other": "2"})

    prepare, install, tools = drafts(build, "prepare_build", "install_build", "install_tools", position=at)

    assert {prepare.kind, install.kind, tools.kind} == {kind}
    assert (prepare.args["action"], prepare.undo) == ("download", None)
    assert install.undo is not None
    assert install.undo.args == {"action": "install", "packages": {name: "1:1-1"}, "hold": True}


def test_what_proves_a_container_is_its_image_and_no_unit():
    (verify,) = drafts(CONTAINER, "verify_build")

    assert verify.args["containers"] == {"keystone": "registry.example/kolla/keystone:23.0.2"}
    assert verify.args["units"] == []
