from dataclasses import replace

import pytest
from pydantic import ValidationError

from reconciler.steps import units

# One file per unit holds its state; `restart` gives it a new life.
SYSTEMCTL = r"""
dir=$(dirname "$0")/../units
verb=$1; shift
case $verb in
show)
  unit=$4
  state=$(cat "$dir/$unit" 2>/dev/null || echo absent)
  case $2 in
  LoadState) if [ "$state" = absent ]; then echo LoadState=not-found; else echo LoadState=loaded; fi ;;
  ActiveState) if [ "$state" = absent ]; then echo ActiveState=inactive; else echo "ActiveState=$state"; fi ;;
  Id) echo "Id=$unit.service" ;;
  MainPID) [ "$state" = active ] && echo MainPID=17 || echo "MainPID=$(cat "$dir/pid" 2>/dev/null || echo 0)" ;;
  *) if [ -f "$dir/flapping" ]; then echo "$2=$(date +%s%N)"; else echo "$2=5"; fi ;;
  esac ;;
start | restart) for unit; do [ "$unit" = -- ] || [ -f "$dir/stuck" ] || echo active >"$dir/$unit"; done ;;
stop) for unit; do [ "$unit" = -- ] || [ -f "$dir/stuck" ] || echo inactive >"$dir/$unit"; done ;;
esac
"""

SUPERVISORCTL = r"""
dir=$(dirname "$0")/../units
shift 2
verb=$1; shift
case $verb in
status)
  [ -f "$dir/dead" ] && { echo "unix:///run/x.sock no such file"; exit 4; }
  [ -f "$dir/$1" ] || { echo "$1: ERROR (no such process)"; exit 4; }
  echo "$1                 $(cat "$dir/$1")   pid 17, uptime 0:00:05" ;;
start | restart) for unit; do echo RUNNING >"$dir/$unit"; done ;;
stop) for unit; do echo STOPPED >"$dir/$unit"; done ;;
esac
"""


def local(sandbox, args):
    """Render a step whose conditions are written into the sandbox."""
    script = units.effect(args)
    words = tuple(str(sandbox.root / "dropins") if word == units.DROPINS else word for word in script.args)
    return replace(script, args=words)


@pytest.fixture(params=["systemd", "supervisord"])
def order(request, sandbox):
    (sandbox.root / "units").mkdir()
    sandbox.tool("systemctl", SYSTEMCTL)
    sandbox.tool("supervisorctl", SUPERVISORCTL)

    def run(*names, state, **more):
        args = units.Model(
            units=names, state=state, manager=request.param, manager_config="/etc/s.conf", wait_s=1, **more
        )
        return sandbox.run(local(sandbox, args))

    run.manager = request.param
    run.up, run.down = ("active", "inactive") if request.param == "systemd" else ("RUNNING", "STOPPED")
    run.set = lambda name, text: (sandbox.root / "units" / name).write_text(text + "\n")
    run.get = lambda name: (sandbox.root / "units" / name).read_text().strip()
    return run


def test_units_start_stop_and_restart(order):
    order.set("api", order.down)
    order.set("wsgi", order.down)
    assert order("api", "wsgi", state="started").code == 0
    assert (order.get("api"), order.get("wsgi")) == (order.up, order.up)
    assert order("api", state="restarted").code == 0
    assert order("api", "wsgi", state="stopped").code == 0
    assert (order.get("api"), order.get("wsgi")) == (order.down, order.down)
    assert order("api", "wsgi", state="stopped").code == 0


def test_what_was_stopped_is_held_down_until_it_is_started(order, sandbox):
    order.set("api", order.up)
    assert order("api", state="stopped").code == 0
    held = sandbox.root / "dropins" / "api.service.d" / "zz-reconciler.conf"
    assert held.exists() == (order.manager == "systemd")
    assert order("api", state="started").code == 0
    assert not held.parent.exists()


def test_an_absent_unit_is_no_stopped_unit_unless_said(order):
    order.set("api", order.up)
    refused = order("gone", "api", state="stopped")
    assert refused.code == 1
    assert "gone" in refused.output
    assert order.get("api") == order.up
    assert order("gone", "api", state="stopped", absent_ok=True).code == 0
    assert order.get("api") == order.down
    assert order("gone", state="stopped", absent_ok=True).code == 0
    assert order("gone", state="started", absent_ok=True).code == 1


def test_what_does_not_reach_the_state_fails_after_a_bounded_wait(order, sandbox):
    if order.manager == "supervisord":
        order.set("dead", "")
    order.set("stuck", "")
    order.set("api", order.up)
    assert order("api", state="stopped").code == 1


def test_a_main_process_that_lives_on_is_not_stopped(sandbox):
    (sandbox.root / "units").mkdir()
    sandbox.tool("systemctl", SYSTEMCTL)
    (sandbox.root / "units" / "api").write_text("inactive\n")
    (sandbox.root / "units" / "pid").write_text("99\n")
    assert sandbox.run(local(sandbox, units.Model(units=("api",), state="stopped", wait_s=1))).code == 1


def test_a_unit_that_starts_over_and_over_is_not_started(sandbox):
    (sandbox.root / "units").mkdir()
    sandbox.tool("systemctl", SYSTEMCTL)
    (sandbox.root / "units" / "api").write_text("inactive\n")
    (sandbox.root / "units" / "flapping").write_text("")
    exited = sandbox.run(local(sandbox, units.Model(units=("api",), state="started")))
    assert exited.code == 1
    assert "anew" in exited.output


def test_enable_and_disable_reach_systemd(sandbox):
    (sandbox.root / "units").mkdir()
    sandbox.tool("systemctl", SYSTEMCTL)
    (sandbox.root / "units" / "api").write_text("active\n")
    assert sandbox.run(local(sandbox, units.Model(units=("api",), state="started", enable=True))).code == 0
    assert sandbox.run(local(sandbox, units.Model(units=("api",), state="stopped", enable=False))).code == 0
    assert [line for line in sandbox.log if "able" in line] == ["systemctl enable -- api", "systemctl disable -- api"]


@pytest.mark.parametrize("more", [{"units": ("-x",)}, {"units": ()}, {"manager": "supervisord"}, {"state": "asleep"}])
def test_bad_arguments_are_refused(more):
    with pytest.raises(ValidationError):
        units.Model.model_validate({"units": ("api",), "state": "started", **more})
