import pytest

from reconciler.catalog import load_catalog
from reconciler.domain.procedure import ActionSpec, Condition, When
from reconciler.planning.condition import holds
from reconciler.planning.setting import Setting
from tests.support.sample import DESIRED, HOSTS, KEYSTONE


def asked(when: When, subject: str = "", **changes: object) -> bool:
    setting = Setting(
        **{
            "service": KEYSTONE,
            "desired": DESIRED,
            "catalog": load_catalog(),
            "host": HOSTS["ks1"],
            "position": None,
            "start": "zed",
            "goal": "2023.1",
            "stops": ("yoga", "zed", "2023.1"),
            **changes,
        }
    )
    return holds(ActionSpec("command", condition=Condition(when=when, subject=subject)), setting)


def test_an_action_is_always_there_unless_it_says_otherwise():
    assert asked(When.ALWAYS)


def test_onto_asks_for_a_host_that_moved_before():
    assert asked(When.ONTO, onto="ks2")
    assert not asked(When.ONTO)


def test_hops_are_first_and_last():
    assert asked(When.LAST_HOP)
    assert not asked(When.FIRST_HOP)
    assert asked(When.FIRST_HOP, start="yoga", goal="zed")


@pytest.mark.parametrize("release", ["2023.1", "antelope"])
def test_a_release_goes_by_any_of_its_names(release: str):
    assert asked(When.TO, release)
    assert not asked(When.TO, "zed")


def test_one_service_of_several():
    assert asked(When.SERVICE, "keystone")
    assert not asked(When.SERVICE, "glance")
