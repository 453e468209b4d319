from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from reconciler.domain.desired import Canary, Host, Percent, Waves
from reconciler.planning.waves import Wave, canary_of, unfit_canary, waves
from tests.support.sample import HOSTS, KEYSTONE


def names(found: tuple[Wave, ...]) -> list[list[str]]:
    return [[host.name for host in wave.hosts] for wave in found]


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
    assert len(found[0].hosts) == 1
    assert all(len(wave.hosts) <= max(sizes) for wave in found[1:])


def fleet(count: int, zones: str = "a") -> list[Host]:
    return [Host(name=f"h{n:02}", address=f"h{n:02}", zone=zones[n % len(zones)]) for n in range(count)]


def test_percentages_are_of_all_hosts_that_move_and_rounded_up():
    service = replace(KEYSTONE, waves=Waves(sizes=(1, Percent(25), Percent(100))))

    assert [len(wave.hosts) for wave in waves(service, fleet(10))] == [1, 1, 3, 5]
    assert [len(wave.hosts) for wave in waves(service, fleet(2))] == [1, 1]


def test_waves_by_zone_never_span_two_and_begin_with_the_canarys():
    service = replace(KEYSTONE, canary=Canary(zone="b"), waves=Waves(sizes=(2,), by="zone"))

    found = waves(service, fleet(8, "abc"))

    assert names(found) == [["h01"], ["h04", "h07"], ["h00", "h03"], ["h06"], ["h02", "h05"]]


def test_a_role_chooses_the_canary():
    hosts = [replace(host, roles=frozenset({"gpu"}) if host.name == "h02" else frozenset()) for host in fleet(4)]

    assert canary_of(replace(KEYSTONE, canary=Canary(role="gpu")), hosts).name == "h02"


def test_a_host_that_is_there_already_proves_nothing_as_canary():
    hosts = fleet(3)

    assert canary_of(KEYSTONE, hosts, {"h00"}).name == "h01"
    assert canary_of(KEYSTONE, hosts, {"h00", "h01", "h02"}).name == "h00"
    assert names(waves(KEYSTONE, hosts, there={"h00"})) == [["h01"], ["h00"], ["h02"]]


def test_a_canary_that_git_asks_for_is_not_silently_another():
    hosts, named = fleet(3), replace(KEYSTONE, canary=Canary(host="h01"))

    assert unfit_canary(KEYSTONE, hosts, {"h00", "h01", "h02"}) == ""
    assert unfit_canary(named, hosts, set()) == ""
    assert "runs the goal already" in unfit_canary(named, hosts, {"h01"})
    assert "no host that moves" in unfit_canary(named, hosts[:1], set())


@given(
    count=st.integers(1, 30),
    zones=st.sampled_from(["a", "ab", "aab", "abcd"]),
    sizes=st.lists(st.one_of(st.integers(1, 7), st.integers(1, 100).map(Percent)), min_size=1, max_size=4),
)
def test_by_zone_every_host_is_in_one_wave_of_its_zone(count: int, zones: str, sizes: list[int | Percent]):
    found = waves(replace(KEYSTONE, waves=Waves(sizes=tuple(sizes), by="zone")), fleet(count, zones))

    assert sorted(name for wave in names(found) for name in wave) == [host.name for host in fleet(count)]
    assert all(len({host.zone for host in wave.hosts}) == 1 for wave in found)
    assert all(wave.hosts for wave in found)


def of_roles(*roles: str) -> list[Host]:
    """Return a host for each of the words, with the roles that it names, e.g. "control+gpu"."""
    return [Host(name=f"h{n:02}", address=f"h{n:02}", roles=frozenset(each.split("+"))) for n, each in enumerate(roles)]


def test_each_role_has_a_canary_and_the_roles_go_as_the_service_names_them():
    service = replace(KEYSTONE, roles=("control", "compute"), waves=Waves(sizes=(2,)))

    found = waves(service, of_roles("compute", "control", "compute", "control+compute", "compute", "compute"))

    assert names(found) == [["h01"], ["h03"], ["h00"], ["h02", "h04"], ["h05"]]
    assert [wave.leads for wave in found] == ["control", "", "compute", "", ""]


def test_the_role_of_the_canary_that_git_asks_for_goes_first():
    service = replace(KEYSTONE, roles=("control", "compute"), canary=Canary(host="h02"))

    found = waves(service, of_roles("control", "control", "compute", "compute"))

    assert names(found) == [["h02"], ["h03"], ["h00"], ["h01"]]
    assert [wave.leads for wave in found] == ["compute", "", "control", ""]


def test_one_role_leads_nothing():
    service = replace(KEYSTONE, roles=("control", "compute"))

    assert [wave.leads for wave in waves(service, of_roles("control", "control"))] == ["", ""]


@given(count=st.integers(1, 30), data=st.data())
def test_no_host_moves_before_the_canary_of_its_role(count: int, data: st.DataObject):
    service = replace(KEYSTONE, roles=("a", "b", "c"), waves=Waves(sizes=(3,), by="zone"))
    kinds = st.sampled_from(("a", "b", "c", "a+b"))
    hosts = [
        replace(host, zone=data.draw(st.sampled_from("xy")))
        for host in of_roles(*(data.draw(kinds) for _ in range(count)))
    ]

    found = waves(service, hosts)

    assert sorted(name for wave in names(found) for name in wave) == [host.name for host in hosts]
    seen: set[str] = set()
    for wave in found:
        roles = {next(role for role in service.roles if role in host.roles) for host in wave.hosts}
        assert len(roles) == 1
        assert roles <= seen or len(wave.hosts) == 1
        seen |= roles
