"""The kinds that call the `openstack` command line, against a cloud of files."""

from threading import Timer

import pytest
from pydantic import ValidationError

from reconciler.domain.outcome import Done, Failed
from reconciler.steps import Evidence, instance, live_migration, openstack_call

ENV = {"OS_AUTH_URL": "http://vip:5000/v3", "OS_PASSWORD": "{secret:admin}"}
CLOUD = {"env": ENV, "secret_refs": {"admin": {"kind": "env", "origin": "X"}}}

# A cloud of files: services by host in svc/, guests in vm/ID ("name host status"), users in user/NAME.
STUB = r"""
cd "$(dirname "$0")/../cloud"
[ "$OS_PASSWORD" = "p'w" ] && [ "$OS_AUTH_URL" = http://vip:5000/v3 ] || { echo 'Unauthorized (HTTP 401)' >&2; exit 1; }
last() { for one; do :; done; echo "$one"; }
case "$*" in
"user show "*) cat "user/$3" 2>/dev/null || { echo "No user with a name or ID of '$3' exists." >&2; exit 1; } ;;
"user create "*) last "$@" | while read -r n; do echo "id-$n" >"user/$n"; done ;;
"user delete "*) grep -l -- "$3" user/* | xargs rm -f ;;
"compute service list "*) cat "svc/$5" 2>/dev/null || : ;;
"compute service set --disable"*) echo disabled >"svc/$6" ;;
"compute service set --enable"*) echo enabled >"svc/$5" ;;
"server list --all-projects"*) for f in vm/*; do read -r n h s <"$f" || continue; [ "$h" = "$5" ] && echo "${f#vm/} $s"; done; : ;;
"server list --name"*) for f in vm/*; do read -r n h s <"$f" || continue; [ "^$n\$" = "$4" ] && echo "${f#vm/}"; done; : ;;
"server migrate "*)
  id=$(last "$@"); read -r n h s <"vm/$id"
  [ ! -e "stuck/$id" ] || { echo 'migration failed' >&2; exit 1; }
  case "$*" in *"--host new"* | *"--live new"*) h=new ;; *) h=any ;; esac
  echo "$n $h $s" >"vm/$id" ;;
"server show "*host) read -r n h s <"vm/$3"; echo "$h" ;;
"server show "*status) read -r n h s <"vm/$3"; echo "$s" ;;
"server show "*addresses) cat addresses ;;
"server create "*) echo "$(last "$@") old ACTIVE" >vm/abc ;;
"server delete "*) rm "vm/$4" ;;
*) echo "unknown: $*" >&2; exit 2 ;;
esac
"""


@pytest.fixture
def cloud(sandbox):
    sandbox.tool("openstack", STUB)
    for name in ("user", "svc", "vm", "stuck"):
        (sandbox.root / "cloud" / name).mkdir(parents=True)
    (sandbox.root / "cloud/svc/old").write_text("enabled\n")
    (sandbox.root / "cloud/addresses").write_text("{'private': ['fd00::5', '10.0.0.5']}\n")
    return sandbox.root / "cloud"


@pytest.fixture
def act(sandbox, cloud):
    def run(kind, args, current="run-1", password="p'w"):  # noqa: S107
        sandbox.run_id = current
        model = kind.Model.model_validate({**CLOUD, **args})
        return kind.judge(model, Evidence(sandbox.run(kind.effect(model), {"admin": password})))

    return run


def calls(sandbox, word):
    return [line for line in sandbox.log if line.startswith(f"openstack {word}")]


USER = {
    "ask": ["user", "show", "placement"],
    "column": "id",
    "do": ["user", "create", "--password-prompt", "placement"],
    "back": ["user", "delete", "{}"],
}


def test_what_is_missing_is_created_once_and_taken_back(sandbox, cloud, act):
    for _ in range(2):
        done = act(openstack_call, USER)
        assert isinstance(done, Done), done
        assert done.values == {"answer": "id-placement"}
    assert len(calls(sandbox, "user create")) == 1
    for _ in range(2):
        assert isinstance(act(openstack_call, {**USER, "restore_from": "run-1"}, current="run-2"), Done)
    assert calls(sandbox, "user delete") == ["openstack user delete id-placement"]


def test_what_was_there_before_is_not_taken_back(sandbox, cloud, act):
    (cloud / "user/placement").write_text("id-old\n")
    assert act(openstack_call, USER).values == {"answer": "id-old"}
    assert isinstance(act(openstack_call, {**USER, "restore_from": "self"}), Done)
    assert not calls(sandbox, "user create") + calls(sandbox, "user delete")


def test_an_answer_does_not_become_an_option(sandbox, cloud, act):
    act(openstack_call, USER)
    for note in (cloud / "user/placement", *sandbox.root.glob("**/saved/run-1/openstack/*")):
        note.write_text("--os-auth-url=http://evil\n")
    failed = act(openstack_call, {**USER, "restore_from": "self"})
    assert isinstance(failed, Failed)
    assert "would be taken for an option" in failed.text
    assert not calls(sandbox, "user delete")


def test_a_cloud_that_refuses_is_no_cloud_without_users(sandbox, act):
    for more in ({}, {"absent": True, "do": ["user", "delete", "placement"], "back": []}):
        failed = act(openstack_call, {**USER, **more}, password="wrong")
        assert isinstance(failed, Failed)
        assert "Unauthorized" in failed.text
    assert not calls(sandbox, "user create")


DISABLE = {
    "ask": ["compute", "service", "list", "--host", "old"],
    "column": "Status",
    "want": "Disabled",
    "do": ["compute", "service", "set", "--disable", "--disable-reason=x", "old", "nova-compute"],
    "back": ["compute", "service", "set", "--enable", "old", "nova-compute"],
}


def test_a_wanted_answer_is_reached_and_left_again(cloud, act):
    assert act(openstack_call, {**DISABLE, "do": [], "back": []}).text.endswith(
        "the answer is not the wanted one: enabled"
    )
    assert act(openstack_call, DISABLE).values == {"answer": "disabled"}
    assert isinstance(act(openstack_call, {**DISABLE, "restore_from": "self"}), Done)
    assert (cloud / "svc/old").read_text() == "enabled\n"


def test_what_becomes_so_by_itself_is_waited_for(cloud, act):
    later = Timer(1.0, (cloud / "svc/old").write_text, ["disabled\n"])
    later.start()
    done = act(openstack_call, {**DISABLE, "do": [], "back": [], "wait_s": 60})
    later.join()
    assert done == Done({"answer": "disabled"}, done.text)


def test_an_answer_that_never_becomes_the_wanted_one_fails(act):
    failed = act(openstack_call, {**DISABLE, "want": "gone", "wait_s": 0})
    assert isinstance(failed, Failed)
    assert "after the call the answer is: disabled" in failed.text


def test_the_password_is_in_no_argument_and_no_file(sandbox, act):
    act(openstack_call, USER)
    files = [one for one in sandbox.root.rglob("*") if one.is_file() and one.name not in {"script.sh", "openstack"}]
    assert not any("p'w" in one.read_text(errors="replace") for one in files)


CREATE = {
    "action": "create",
    "name": "canary",
    "flavor": "tiny",
    "image": "cirros",
    "network": "net",
    "zone": "nova:old",
}


@pytest.mark.parametrize(
    "addresses", ["{'net': ['10.0.0.5']}", "net=10.0.0.5", "a=10.0.0.5; b=fd00::1", "net=10.0.0.5, 192.0.2.7"]
)
def test_an_instance_is_created_once_and_deleted_by_its_run_alone(sandbox, cloud, act, addresses):
    (cloud / "addresses").write_text(addresses + "\n")
    for _ in range(2):
        done = act(instance, CREATE)
        assert isinstance(done, Done), done
        assert done.values == {"id": "abc", "address": "10.0.0.5"}
    assert len(calls(sandbox, "server create")) == 1
    back = {"action": "delete", "name": "canary", "restore_from": "self"}
    assert isinstance(act(instance, back, current="run-2"), Done)
    assert (cloud / "vm/abc").exists()
    for _ in range(2):
        assert isinstance(act(instance, {**back, "restore_from": "run-1"}, current="run-2"), Done)
    assert not (cloud / "vm/abc").exists()


def test_an_instance_without_address_or_in_error_fails(cloud, act):
    (cloud / "addresses").write_text("{}\n")
    assert "no address" in act(instance, CREATE).text
    (cloud / "vm/abc").write_text("canary old ERROR\n")
    assert "is ERROR" in act(instance, CREATE).text


def test_an_address_that_answers_is_reachable(sandbox, act):
    sandbox.tool("ping", 'case "$*" in *192.0.2.9) exit 1 ;; esac')
    assert isinstance(act(instance, {"action": "probe", "address": "10.0.0.5"}), Done)
    assert isinstance(act(instance, {"action": "probe", "address": "192.0.2.9"}), Failed)
    assert sandbox.log[0] == "ping -n -c 3 -W 2 10.0.0.5"


def guests(cloud):
    for name, text in {
        "g1": "a old ACTIVE",
        "g2": "b old PAUSED",
        "g3": "c old SHUTOFF",
        "g4": "d else ACTIVE",
    }.items():
        (cloud / "vm" / name).write_text(text + "\n")


@pytest.mark.parametrize(
    ("more", "there"),
    [
        ({"onto": "new"}, "new"),
        ({}, "any"),
        ({"onto": "new", "parallel": 5}, "new"),
        ({"onto": "new", "old_api": True}, "new"),
    ],
)
def test_running_guests_move_and_others_stay(cloud, act, more, there):
    guests(cloud)
    done = act(live_migration, {"source": "old", **more})
    assert isinstance(done, Done), done
    assert done.values == {"moved": "2", "left": "1"}
    places = [(cloud / "vm" / name).read_text().split()[1] for name in ("g1", "g2", "g3", "g4")]
    assert places == [there, there, "old", "else"]
    assert (cloud / "svc/old").read_text() == "disabled\n"
    assert isinstance(act(live_migration, {"source": "old", **more}), Done)
    assert isinstance(act(live_migration, {"source": "old", "restore_from": "run-1"}, current="run-2"), Done)
    assert (cloud / "svc/old").read_text() == "enabled\n"


def test_a_service_that_somebody_disabled_stays_so(cloud, act):
    (cloud / "svc/old").write_text("disabled\n")
    assert act(live_migration, {"source": "old", "onto": "new"}).values == {"moved": "0", "left": "0"}
    assert isinstance(act(live_migration, {"source": "old", "restore_from": "self"}), Done)
    assert (cloud / "svc/old").read_text() == "disabled\n"


def test_a_guest_that_does_not_move_stops_the_drain(cloud, act):
    guests(cloud)
    (cloud / "stuck/g1").touch()
    failed = act(live_migration, {"source": "old", "onto": "new"})
    assert isinstance(failed, Failed)
    assert "1 of 1 migrations failed" in failed.text
    assert (cloud / "vm/g2").read_text().split()[1] == "old"


def test_a_cloud_that_refuses_is_no_drained_host(cloud, act):
    guests(cloud)
    failed = act(live_migration, {"source": "old", "onto": "new"}, password="wrong")
    assert isinstance(failed, Failed)
    assert "Unauthorized" in failed.text


@pytest.mark.parametrize(
    ("kind", "bad"),
    [
        (openstack_call, {"ask": [], "column": "id"}),
        (openstack_call, {"ask": ["x"], "column": "id", "want": "a", "absent": True}),
        (openstack_call, {"ask": ["x"], "column": "id", "back": ["y"]}),
        (openstack_call, {"ask": ["x", ";"], "column": "id"}),
        (openstack_call, {"ask": ["x"], "column": "id", "env": {"PATH": "x"}}),
        (instance, {"action": "create", "name": "x"}),
        (instance, {"action": "probe"}),
        (instance, {"action": "create", **CREATE, "restore_from": "self"}),
        (instance, {"action": "delete", "name": "a.*"}),
        (live_migration, {"source": "-x"}),
        (live_migration, {"source": "x", "parallel": 0}),
    ],
)
def test_bad_arguments_are_refused(kind, bad):
    with pytest.raises(ValidationError):
        kind.Model.model_validate(bad)
