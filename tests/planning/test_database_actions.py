"""Schema actions of a service with several databases."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.catalog import build_catalog, load_catalog
from reconciler.domain.backup import BackupPolicy, Trust
from reconciler.domain.desired import Database, Deployment
from reconciler.domain.plan import Json
from reconciler.domain.procedure import ActionSpec
from reconciler.planning.actions import expand
from reconciler.planning.database_actions import named_database
from reconciler.planning.deployments import taking_over
from reconciler.planning.setting import Draft, Setting, UnfitError
from reconciler.steps import kinds
from tests.support.sample import DESIRED, KEYSTONE

DATABASES = ("api", "cell0", "main")
REPOSITORY = {"migrate": {"repositories": [{"name": "x"}]}}
CATALOG = build_catalog(
    [
        {"series": "s", "releases": [{"id": name, "codename": name} for name in ("one", "two")]},
        {
            "service": "cells",
            "series": "s",
            "databases": dict.fromkeys(DATABASES, REPOSITORY),
            "eras": [
                {
                    "zero_downtime": True,
                    "sync": [
                        {"argv": ["x-manage", "api", "sync"], "databases": ["api"]},
                        {"argv": ["x-manage", "db", "sync"], "databases": ["cell0", "main"]},
                    ],
                    "setup": [
                        {
                            "id": "map",
                            "argv": ["x-manage", "map"],
                            "when": "after_sync",
                            "reason": "Cells.",
                            "until": "two",
                        },
                        {"id": "keys", "argv": ["x-manage", "keys"], "when": "before_sync", "reason": "Keys."},
                    ],
                }
            ],
            "releases": [
                {
                    "id": name,
                    "package": {"first": number, "final": number},
                    "databases": {each: {"migrate": {"x": int(number)}} for each in DATABASES},
                }
                for name, number in (("one", "1"), ("two", "2"))
            ],
        },
    ]
)
SERVICE = replace(
    KEYSTONE,
    component="cells",
    databases={name: Database(name=name, url=f"mysql+pymysql://x@db/{name}") for name in DATABASES},
    commands={"x-manage": ("{env}/bin/x-manage",)},
)


def schema(start: str = "one", **changes: object) -> tuple[Draft, ...]:
    setting = Setting(
        service=replace(SERVICE, **changes),
        desired=DESIRED,
        catalog=CATALOG,
        host=DESIRED.hosts["ks1"],
        position=None,
        start=start,
        goal="two",
    )
    return expand(setting, ActionSpec("schema", {"mode": "sync"}))


def backup(trust: Trust) -> list[str]:
    policy = {SERVICE.name: BackupPolicy(trust=trust)}
    setting = Setting(
        service=SERVICE,
        desired=replace(DESIRED, backups=policy),
        catalog=CATALOG,
        host=DESIRED.hosts["ks1"],
        position=None,
        start="one",
        goal="two",
    )
    drafts = expand(setting, ActionSpec("backup", {}))
    assert all(kinds()[draft.kind].Model.model_validate(draft.args) for draft in drafts)
    return [draft.key for draft in drafts]


def test_every_database_is_dumped() -> None:
    assert backup(Trust.READ_BACK) == ["backup.api", "backup.cell0", "backup.main"]


def test_where_policy_demands_it_each_dump_is_restored_on_trial_after_all_were_made() -> None:
    assert backup(Trust.RESTORED)[3:] == ["restore-check.api", "restore-check.cell0", "restore-check.main"]


def argv(draft: Draft) -> Json:
    return draft.args["argv"]


def test_each_command_is_one_step_and_what_sets_up_stands_around_them() -> None:
    drafts = schema()
    assert [draft.key for draft in drafts] == [
        "setup.keys.two",
        "schema-sync.api.two",
        "schema-sync.cell0-main.two",
        "setup.map.two",
    ]
    assert [argv(draft) for draft in drafts] == [
        ["/srv/keystone/two/bin/x-manage", "keys"],
        ["/srv/keystone/two/bin/x-manage", "api", "sync"],
        ["/srv/keystone/two/bin/x-manage", "db", "sync"],
        ["/srv/keystone/two/bin/x-manage", "map"],
    ]
    for draft in drafts:
        kinds()[draft.kind].Model.model_validate(draft.args)


def test_every_database_that_a_command_moves_is_read_back_and_restored() -> None:
    cells = schema()[2]
    model = kinds()["schema_sync"].Model.model_validate(cells.args)
    assert [(each.database.name, each.accept[0].migrate) for each in model.moved] == [
        ("cell0", {"x": 2}),
        ("main", {"x": 2}),
    ]
    assert cells.undo is not None
    assert [undo.args["database"] for undo in (cells.undo, *cells.undo.also)] == ["cell0", "main"]
    assert [undo.title for undo in cells.undo.also] == ["restore database main"]


def test_a_setup_that_lies_behind_the_start_is_left_out() -> None:
    assert [draft.key for draft in schema(start="two")][-1] == "schema-sync.cell0-main.two"


def test_a_database_that_the_desired_state_does_not_name_is_left_alone() -> None:
    only = {"main": SERVICE.databases["main"]}
    assert [draft.key for draft in schema(databases=only)] == [
        "setup.keys.two",
        "schema-sync.main.two",
        "setup.map.two",
    ]


def test_stages_are_refused_where_the_older_release_must_not_serve() -> None:
    glance = replace(KEYSTONE, name="glance", component="glance", versions={})
    setting = Setting(
        service=glance,
        desired=DESIRED,
        catalog=load_catalog(),
        host=DESIRED.hosts["ks1"],
        position=None,
        start="newton",
        goal="ocata",
    )
    with pytest.raises(UnfitError, match="glance: ocata cannot be upgraded while the older release serves"):
        expand(setting, ActionSpec("schema", {"mode": "expand"}))
    assert expand(setting, ActionSpec("schema", {"mode": "sync"}))
    assert [
        draft.key
        for draft in expand(replace(setting, start="queens", goal="rocky"), ActionSpec("schema", {"mode": "expand"}))
    ]


@pytest.mark.parametrize(
    ("goal", "mode", "component"),
    [("2023.2", "sync", "keystone"), ("2023.2", "contract", "keystone"), ("2023.2", "expand", "")],
)
def test_the_structure_is_compared_where_a_hop_ends(goal: str, mode: str, component: str) -> None:
    setting = Setting(
        service=KEYSTONE,
        desired=DESIRED,
        catalog=load_catalog(),
        host=DESIRED.hosts["ks1"],
        position=None,
        start="2023.1",
        goal=goal,
    )
    (draft,) = expand(setting, ActionSpec("schema", {"mode": mode}))
    assert draft.args["component"] == component


def test_a_package_before_the_last_marker_of_its_release_has_no_structure_to_compare() -> None:
    """The first package of wallaby lacked a migration; only the structure of its last one is known."""
    setting = Setting(
        service=replace(KEYSTONE, versions={"wallaby": "19.0.0"}),
        desired=DESIRED,
        catalog=load_catalog(),
        host=DESIRED.hosts["ks1"],
        position=None,
        start="victoria",
        goal="wallaby",
    )
    (draft,) = expand(setting, ActionSpec("schema", {"mode": "sync"}))
    assert draft.args["component"] == ""


def test_beside_a_new_deployment_another_service_means_its_new_one_too() -> None:
    second = Deployment(
        hosts=("ks2",), bootstrap="ks2", databases={"main": Database(name="main", url="mysql://x@new/x")}
    )
    cells = replace(SERVICE, name="cells", replacements={"two": second})
    other = replace(SERVICE, name="other", replacements={"two": second})
    desired = replace(DESIRED, services={"cells": cells, "other": other})
    found = {
        service.deployment: named_database(
            Setting(
                service=service, desired=desired, catalog=CATALOG, host=None, position=None, start="one", goal="two"
            ),
            "cells.main",
        )[1].url
        for service in (other, taking_over(other, "two"))
    }
    assert found == {"": "mysql+pymysql://x@db/main", "two": "mysql://x@new/x"}
