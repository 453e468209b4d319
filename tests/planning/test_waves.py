from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from reconciler.domain.desired import Canary, Host, Waves
from reconciler.planning.waves import waves
from tests.support.sample import HOSTS, KEYSTONE


def names(found: tuple[tuple[Host, ...], ...]) -> list[list[str]]:
    return [[host.name for host in wave] for wave in found]


def test_the_first_host_is_the_canary_when_no_rule_names_one():
    assert names(waves(KEYSTONE, list(HOSTS.values()))) == [["ks1"], ["ks2"], ["ks3"]]


def test_a_named_canary_goes_first():
    service = replace(KEYSTONE, canary=Canary(host="ks3"), waves=Waves(sizes=(2,)))

    assert names(waves(service, list(HOSTS.values()))) == [["ks3"], ["ks1", "ks2"]]


def test_a_zone_and_a_label_choose_the_canary():
    labelled = [replace(host, labels={"canary": "yes"} if host.name == "ks2" else {}) for host in HOSTS.values()]

    assert names(waves(replace(KEYSTONE, canary=Canary(zone="c")), labelled))[0] == ["ks3"]
    assert names(waves(replace(KEYSTONE, canary=Canary(label="canary=yes")), labelled))[0] == ["ks2"]


def test_no_hosts_make_no_waves():
    assert waves(KEYSTONE, []) == ()


@given(count=st.integers(1, 40), sizes=st.lists(st.integers(1, 7), min_size=1, max_size=4))
def test_every_host_is_in_one_wave_and_the_canary_is_alone(count: int, sizes: list[int]):
    hosts = [Host(name=f"h{n:02}", address=f"h{n:02}") for n in range(count)]

    found = waves(replace(KEYSTONE, waves=Waves(sizes=tuple(sizes))), hosts)

    assert sorted(name for wave in names(found) for name in wave) == [host.name for host in hosts]
    assert len(found[0]) == 1
    assert all(len(wave) <= max(sizes) for wave in found[1:])
