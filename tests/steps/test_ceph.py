import pytest
from pydantic import ValidationError

from reconciler.domain.outcome import Done, Failed
from reconciler.steps import Evidence, ceph

HAMMER = "v2811: 192 pgs: 192 active+clean; 1073 MB data, 3298 MB used, 26.8 GB / 29.9 GB avail"
CLEAN = [
    HAMMER,
    "192 pgs: 190 active+clean, 2 active+clean+scrubbing+deep; 4.0 GiB data, 9 GiB used, 1 TiB / 1 TiB avail",
    "9 pgs: 9 active+clean; 0 B data, 16 MiB used, 12 GiB / 12 GiB avail; 85 B/s rd, 0 op/s",
    "0 pgs: ; 0 B data, 0 B used, 0 B / 0 B avail",
]
UNCLEAN = [
    "v9: 192 pgs: 190 active+clean, 2 active+undersized+degraded; 1073 MB data, 1 GB used; 12/300 objects degraded",
    "192 pgs: 191 active+clean, 1 active+clean+inconsistent; 4 GiB data",
    "192 pgs: 192 active+recovery_wait; 4 GiB data",
    "9 pgs: 9 unknown; 0 B data",
    "",
    "Error connecting to cluster",
]
QUORATE = [
    "e1: 3 mons at {a=10.0.0.1:6789/0,b=10.0.0.2:6789/0,c=10.0.0.3:6789/0}, election epoch 6, quorum 0,1,2 a,b,c",
    "e2: 1 mons at {a=[v2:127.0.0.1:3300/0,v1:127.0.0.1:6789/0]}, election epoch 3, leader 0 a, quorum 0 a",
]
SPLIT = [
    "e1: 3 mons at {a=10.0.0.1:6789/0,b=10.0.0.2:6789/0,c=10.0.0.3:6789/0}, election epoch 8, quorum 0,1 a,b",
    "",
]


@pytest.fixture
def act(sandbox):
    def run(**args):
        model = ceph.Model.model_validate(args)
        return ceph.judge(model, Evidence(sandbox.run(ceph.effect(model))))

    return run


def says(sandbox, **answers):
    cases = "\n".join(
        f"*' {words.replace('_', ' ')}') cat <<'ANSWER'\n{text}\nANSWER\n;;" for words, text in answers.items()
    )
    sandbox.tool("ceph", f'case "$*" in\n{cases}\nesac')


@pytest.mark.parametrize(("line", "whole"), [*((line, True) for line in CLEAN), *((line, False) for line in UNCLEAN)])
def test_placement_groups_are_clean_all_or_not(sandbox, act, line, whole):
    says(sandbox, pg_stat=line)
    outcome = act(action="wait", until=["clean"], wait_s=0)
    assert isinstance(outcome, Done if whole else Failed), outcome
    if not whole:
        assert line[:20] in outcome.text


@pytest.mark.parametrize(("line", "whole"), [*((line, True) for line in QUORATE), *((line, False) for line in SPLIT)])
def test_all_monitors_vote_or_not(sandbox, act, line, whole):
    says(sandbox, mon_stat=line)
    assert isinstance(act(action="wait", until=["quorum"], wait_s=0), Done if whole else Failed)


@pytest.mark.parametrize(
    ("line", "whole"), [("HEALTH_OK", True), ("HEALTH_WARN noout flag(s) set", False), ("", False)]
)
def test_health_is_ok_or_not(sandbox, act, line, whole):
    says(sandbox, health=line)
    assert isinstance(act(action="wait", until=["healthy"], wait_s=0), Done if whole else Failed)


def test_daemons_restart_one_by_one_and_only_while_the_cluster_is_whole(sandbox, act):
    says(sandbox, pg_stat=HAMMER)
    sandbox.tool("systemctl", "[ $1 != is-active ] || echo active")
    assert isinstance(act(action="restart", units=["ceph-osd@1", "ceph-osd@2"], until=["clean"], wait_s=0), Done)
    heard = [" ".join(line.split()[-3:]) for line in sandbox.log]
    assert heard == [
        "30 pg stat",
        "restart -- ceph-osd@1",
        "is-active -- ceph-osd@1",
        "30 pg stat",
        "restart -- ceph-osd@2",
        "is-active -- ceph-osd@2",
        "30 pg stat",
    ]


def test_nothing_restarts_in_a_cluster_that_is_not_whole(sandbox, act):
    says(sandbox, pg_stat=UNCLEAN[0])
    sandbox.tool("systemctl", "echo active")
    assert isinstance(act(action="restart", units=["ceph-osd@1"], until=["clean"], wait_s=0), Failed)
    assert not any(line.startswith("systemctl") for line in sandbox.log)


def test_a_unit_that_dies_stops_the_round(sandbox, act):
    says(sandbox, pg_stat=HAMMER)
    sandbox.tool("systemctl", "echo failed")
    failed = act(action="restart", units=["ceph-osd@1", "ceph-osd@2"], until=["clean"], wait_s=0)
    assert isinstance(failed, Failed)
    assert "ceph-osd@1 is not active" in failed.text


def test_one_old_daemon_is_found(sandbox, act):
    old = '  "version": "ceph version 0.94.10 (b1e0532418e4631af01acbc0cedd426f1905f4af)"'
    new = 'osd.1: {\n    "version": "ceph version 10.2.11 (e4b061b47f07f583c92a050d9e84b1813a35671e)"\n}'
    sandbox.tool("ceph", f"cat <<'ANSWER'\nosd.0: {{\n{old}\n}}\n{new}\nANSWER")
    failed = act(action="versions", target="osd.*", version="10.2")
    assert isinstance(failed, Failed)
    assert "run 0.94.10 instead of 10.2" in failed.text


@pytest.mark.parametrize(
    "bad",
    [
        {"action": "wait"},
        {"action": "restart", "units": ["x"]},
        {"action": "restart", "until": ["clean"]},
        {"action": "flag"},
        {"action": "flag", "flag": "no out"},
        {"action": "inject", "target": "osd.*"},
        {"action": "inject", "target": "osd.*", "settings": {"a b": "1"}},
        {"action": "inject", "target": "osd.*", "settings": {"a": "1 --b"}},
        {"action": "inject", "target": "osd.*", "settings": {"a": "1"}, "was": {"b": "1"}},
        {"action": "require"},
        {"action": "versions", "target": "osd.*"},
        {"action": "versions", "target": "-x", "version": "1"},
    ],
)
def test_bad_arguments_are_refused(bad):
    with pytest.raises(ValidationError):
        ceph.Model.model_validate(bad)
