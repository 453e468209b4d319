from dataclasses import replace

import pytest
from pydantic import ValidationError

from reconciler.steps import galera

# A unit in a file, and what the node says of its cluster in another.
SYSTEMCTL = r"""
root=$(dirname "$0")/..
case $1 in
show) case $3 in
  ActiveState) echo "ActiveState=$(cat "$root/unit")" ;;
  Id) echo Id=mariadb.service ;;
  *) echo "$3=0" ;;
  esac ;;
start) echo active >"$root/unit" ;;
stop) echo inactive >"$root/unit"; printf 'uuid: u-1\nseqno: %s\nsafe_to_bootstrap: 0\n' "$(cat "$root/seqno")" >"$root/data/grastate.dat" ;;
esac
"""
MARIADB = r"""
root=$(dirname "$0")/..
[ "$(cat "$root/unit")" = active ] || { echo "ERROR 2002: cannot connect" >&2; exit 1; }
case "$*" in *wsrep_cluster_address*) printf "wsrep_cluster_address\tgcomm://127.0.0.2:4567?pc.wait=1\n"; exit ;; esac
printf 'wsrep_ready\tON\nwsrep_cluster_status\t%s\nwsrep_local_state_comment\tSynced\n' "$(cat "$root/primary")"
printf 'wsrep_cluster_size\t%s\n' "$(cat "$root/members")"
printf 'wsrep_incoming_addresses\t%s\n' "$(cat "$root/addresses")"
"""


@pytest.fixture
def order(sandbox):
    (sandbox.root / "data").mkdir()
    for name, text in {
        "unit": "active",
        "primary": "Primary",
        "members": "3",
        "seqno": "17",
        "addresses": "127.0.0.1:3306,127.0.0.2:0,AUTO",
    }.items():
        (sandbox.root / name).write_text(text + "\n")
    sandbox.tool("systemctl", SYSTEMCTL)
    sandbox.tool("mariadb", MARIADB)
    sandbox.tool("galera_new_cluster", f'echo active >"{sandbox.root}/unit"')

    def run(action, *, secrets=None, **more):
        given = {"datadir": str(sandbox.root / "data"), "wait_s": 1} | more
        script = galera.effect(galera.Model(action=action, **given))
        ours = {galera.DROPINS: str(sandbox.root / "dropins"), str(galera.REPLICATION_PORT): "1"}
        return sandbox.run(replace(script, args=tuple(ours.get(word, word) for word in script.args)), secrets)

    run.set = lambda name, text: (sandbox.root / name).write_text(text + "\n")
    run.grastate = sandbox.root / "data/grastate.dat"
    run.held = sandbox.home / "held/galera"
    return run


def test_a_node_is_held_back_and_the_way_back_is_to_join_again(order, sandbox):
    for _ in range(2):
        exited = order("hold")
        assert (exited.code, exited.values) == (0, {"uuid": "u-1", "seqno": "17"})
    assert order.held.read_text() == "run-1\n127.0.0.1\n127.0.0.2\n"
    assert (sandbox.root / "dropins/mariadb.service.d/zz-reconciler.conf").exists()
    assert order("rejoin").values == {"members": "3"}
    assert not order.held.exists()
    assert not (sandbox.root / "dropins/mariadb.service.d").exists()
    assert order.grastate.exists()


@pytest.mark.parametrize(
    ("what", "text", "said"),
    [
        ("primary", "non-Primary", "only a synced node"),
        ("members", "1", "nobody would go on"),
        ("unit", "failed", "only a"),
    ],
)
def test_what_is_not_whole_is_not_held_back(order, sandbox, what, text, said):
    order.set(what, text)
    exited = order("hold")
    assert exited.code == 1
    assert said in exited.output
    assert not any("stop" in line for line in sandbox.log)


def test_a_stop_in_bad_order_is_no_way_back(order):
    order.set("seqno", "-1")
    exited = order("hold")
    assert exited.code == 1
    assert "not stopped in good order" in exited.output


def test_a_fresh_node_forgets_where_it_stood(order):
    assert order("hold").code == 0
    assert order("rejoin", fresh=True).code == 0
    assert not order.grastate.exists()
    assert order.grastate.with_name("grastate.dat.before-run-1").exists()


def test_a_node_that_joins_nobody_fails(order):
    assert order("hold").code == 0
    order.set("members", "1")
    exited = order("rejoin")
    assert exited.code == 1
    assert "not in its cluster" in exited.output
    assert order.held.exists()


def test_a_cluster_begins_from_the_node_that_was_held_back(order, sandbox):
    assert order("hold").code == 0
    order.set("members", "1")
    for _ in range(2):
        exited = order("bootstrap", others=("127.0.0.1",))
        assert exited.code == 0, exited.output
    assert "safe_to_bootstrap: 1\n" in order.grastate.read_text()
    assert sum(line.startswith("galera_new_cluster") for line in sandbox.log) == 1
    assert not order.held.exists()


def test_a_cluster_begins_when_those_that_were_seen_at_the_hold_are_gone(order):
    assert order("hold").code == 0
    order.set("members", "1")
    exited = order("bootstrap")
    assert exited.code == 0, exited.output


def test_nobody_begins_a_cluster_without_knowing_of_the_others(order):
    order.set("addresses", "AUTO,unspecified")
    order.set("members", "4")
    exited = order("hold")
    assert exited.code == 1
    assert "name the others" in exited.output
    assert order("hold", others=("127.0.0.1", "127.0.0.2")).code == 0
    order.held.unlink()
    exited = order("bootstrap")
    assert exited.code == 1
    assert "nobody else still is one" in exited.output


def test_a_node_leaves_and_stays_away(order, sandbox):
    for _ in range(2):
        assert order("leave").code == 0
    assert sum("stop" in line for line in sandbox.log) == 1
    assert (sandbox.root / "dropins/mariadb.service.d/zz-reconciler.conf").exists()


@pytest.mark.parametrize(
    ("action", "back", "fresh"), [("hold", "bootstrap", False), ("yield", "leave", False), ("follow", "rejoin", True)]
)
def test_how_each_is_taken_back_while_the_held_node_leads(action, back, fresh):
    undo = galera.undo(galera.Model(action=action, size=3))
    assert undo is not None
    assert (undo.args["action"], undo.args["fresh"], undo.args["size"]) == (back, fresh, None)


@pytest.mark.parametrize("action", ["check", "rejoin", "bootstrap", "leave"])
def test_the_rest_has_no_way_back(action):
    assert galera.undo(galera.Model(action=action)) is None


def test_a_password_is_no_argument(order, sandbox):
    assert order("check", user="root", password="{secret:db}", secrets={"db": 'p"w'}).code == 0
    assert not any('p"w' in line for line in sandbox.log)
    assert "--defaults-extra-file=/dev/fd/3 --user=root" in sandbox.log[0]


@pytest.mark.parametrize(
    "asked",
    [
        {"action": "hold", "fresh": True},
        {"action": "check", "password": "plain"},
        {"action": "hold", "datadir": "data"},
        {"action": "hold", "unit": "-x"},
        {"action": "bootstrap", "others": ("-x",)},
    ],
)
def test_bad_arguments_are_refused(asked):
    with pytest.raises(ValidationError):
        galera.Model.model_validate(asked)
