import pytest
from pydantic import ValidationError

from reconciler.steps import container

# An engine whose containers are files: image, spec, state, started. Images are files that hold their digest; what the
# registry serves is in `registry`.
ENGINE = r"""
root=$(dirname "$0")/..
case "$1 $2" in
"version "*) [ ! -f "$root/dead" ] || { echo "Cannot connect"; exit 1; } ;;
"container inspect")
  shift 2
  if [ "$1" = -f ]; then format=$2; shift 2; fi
  [ -f "$root/containers/$1" ] || { echo "no such container" >&2; exit 1; }
  read -r image spec state started <"$root/containers/$1"
  case ${format-} in
  *Labels*) echo "$spec" ;;
  *StartedAt*) if [ -f "$root/flapping" ]; then date +%N; else echo "$started"; fi ;;
  *Running*) [ "$state" = running ] && echo true || echo false ;;
  *.Image*) echo "sha256:$image" ;;
  esac ;;
"image inspect")
  shift 2
  if [ "$1" = -f ]; then format=$2; shift 2; fi
  key=$(echo "${1#sha256:}" | tr /:@ ___)
  [ -f "$root/images/$key" ] || { echo "no such image" >&2; exit 1; }
  case ${format-} in
  *RepoDigests*) echo "registry:4000/k/nova@$(cat "$root/images/$key")" ;;
  *.Id*) echo "sha256:$key" ;;
  esac ;;
"manifest inspect") grep -qxF "$3" "$root/registry" || { echo "manifest unknown" >&2; exit 1; } ;;
"pull --quiet")
  grep -qxF "$3" "$root/registry" || { echo "manifest unknown" >&2; exit 1; }
  [ -f "$root/images/$(echo "$3" | tr /:@ ___)" ] || echo "sha256:$(printf %064d 7)" >"$root/images/$(echo "$3" | tr /:@ ___)" ;;
"stop -t") sed -i "s/ running / exited /" "$root/containers/$4" ;;
"start "*) sed -i "s/ exited / running /" "$root/containers/$2" ;;
"rename "*) mv "$root/containers/$2" "$root/containers/$3" ;;
"rm --force") rm "$root/containers/$3" ;;
"logs "*) echo "last words" ;;
"run "*)
  state=running
  [ ! -f "$root/broken" ] || state=exited
  for word; do
    case $word in --name=*) name=${word#*=} ;; --label=*) spec=${word##*=} ;; *nova:*) image=$word ;; esac
  done
  echo "$(echo "$image" | tr /:@ ___) $spec $state 2026-01-01" >"$root/containers/$name" ;;
*) echo "not understood: $*" >&2; exit 125 ;;
esac
"""
OLD, NEW = "registry:4000/k/nova:ocata", "registry:4000/k/nova:pike"


@pytest.fixture
def order(sandbox):
    for name in ("containers", "images"):
        (sandbox.root / name).mkdir()
    (sandbox.root / "registry").write_text(f"{OLD}\n{NEW}\n")
    sandbox.tool("podman", ENGINE)

    def run(action, image=NEW, **more):
        given = {"name": "nova_compute", "engine": "podman", "wait_s": 1} | more
        return sandbox.run(container.effect(container.Model(action=action, image=image, **given)))

    return run


def state(sandbox):
    found = {}
    for path in (sandbox.root / "containers").iterdir():
        image, _, condition, _ = path.read_text().split()
        found[path.name] = f"{image.rpartition('_')[2]} {condition}"
    return found


def test_an_image_is_pulled_ahead_and_its_digest_read_back(order, sandbox):
    exited = order("pull")
    assert exited.code == 0
    assert exited.values["digest"] == "sha256:" + "7".rjust(64, "0")
    assert order("pull", image="registry:4000/k/nova:gone").code != 0


def test_a_tag_that_stands_for_another_digest_is_refused(order):
    assert order("pull", digest="sha256:" + "7".rjust(64, "0")).code == 0
    exited = order("pull", digest="sha256:" + "8".rjust(64, "0"))
    assert exited.code == 1
    assert "is not sha256:" in exited.output


def test_whether_a_host_can_pull_is_asked_without_pulling(order, sandbox):
    assert order("can_pull").code == 0
    exited = order("can_pull", image="registry:4000/k/nova:gone")
    assert exited.code == 1
    assert "manifest unknown" in exited.output
    assert not any(line.startswith("podman pull") for line in sandbox.log)


def test_what_was_not_pulled_is_not_run(order, sandbox):
    exited = order("run")
    assert exited.code == 1
    assert "pull it first" in exited.output
    assert state(sandbox) == {}


def test_a_container_runs_once_however_often_it_is_asked(order, sandbox):
    order("pull")
    assert order("run").values["started_at"] == "2026-01-01"
    assert order("run").code == 0
    assert state(sandbox) == {"nova_compute": "pike running"}
    assert sum(line.startswith("podman run") for line in sandbox.log) == 1


def test_a_container_of_another_making_wants_replacing(order, sandbox):
    order("pull")
    order("run")
    exited = order("run", privileged=True)
    assert exited.code == 1
    assert "wants replacing" in exited.output


def test_a_replaced_container_is_kept_and_comes_back(order, sandbox):
    order("pull", image=OLD)
    order("pull")
    order("run", image=OLD)
    sandbox.run_id = "run-2"
    for _ in range(2):
        assert order("replace").code == 0
        assert state(sandbox) == {"nova_compute": "pike running", "nova_compute.before-run-2": "ocata exited"}
    for _ in range(2):
        assert order("back").code == 0
        assert state(sandbox) == {"nova_compute": "ocata running"}


def test_a_replacing_that_was_cut_short_is_gone_on_with(order, sandbox):
    order("pull", image=OLD)
    order("pull")
    order("run", image=OLD)
    sandbox.run_id = "run-2"
    (sandbox.root / "broken").touch()
    assert order("replace").code == 1
    (sandbox.root / "broken").unlink()
    assert order("replace").code == 0
    assert state(sandbox) == {"nova_compute": "pike running", "nova_compute.before-run-2": "ocata exited"}
    assert order("replace", privileged=True).code == 0
    assert order("retire").code == 0
    assert state(sandbox) == {"nova_compute": "pike running"}


def test_back_leads_to_what_was_there_before_the_run(order, sandbox):
    order("pull")
    assert order("run").code == 0
    assert order("back").code == 0
    assert state(sandbox) == {}
    order("run")
    sandbox.run_id = "run-2"
    assert order("stop").code == 0
    assert state(sandbox) == {"nova_compute": "pike exited"}
    sandbox.run_id = "run-3"
    assert order("start").code == 0
    assert order("back").code == 0
    assert state(sandbox) == {"nova_compute": "pike exited"}
    sandbox.run_id = "run-2"
    assert order("back").code == 0
    assert state(sandbox) == {"nova_compute": "pike running"}
    sandbox.run_id = "run-4"
    assert "not touched" in order("back").output


def test_what_was_stopped_and_replaced_comes_back_stopped_and_then_running(order, sandbox):
    order("pull", image=OLD)
    order("pull")
    order("run", image=OLD)
    sandbox.run_id = "run-2"
    for action in ("stop", "replace"):
        assert order(action).code == 0
    for _ in range(2):
        assert order("back", of="replace").values["was"] == "stopped"
        assert state(sandbox) == {"nova_compute": "ocata exited"}
    for _ in range(2):
        assert order("back", of="stop").values["was"] == "running"
        assert state(sandbox) == {"nova_compute": "ocata running"}
    assert "not touched" in order("back", of="start").output


def test_what_is_not_there_is_stopped_only_where_that_is_allowed(order):
    assert order("stop").code == 1
    assert order("stop", absent_ok=True).code == 0
    assert order("start").code == 1


def test_a_container_that_ends_or_starts_over_and_over_does_not_run(order, sandbox):
    order("pull")
    (sandbox.root / "broken").touch()
    exited = order("run")
    assert exited.code == 1
    assert "last words" in exited.output
    (sandbox.root / "broken").unlink()
    (sandbox.root / "flapping").touch()
    exited = order("run")
    assert exited.code == 1
    assert "anew" in exited.output


def test_a_container_of_kolla_needs_its_config_json(order, sandbox):
    order("pull")
    folder = sandbox.root / "config_files"
    given = {"kolla": container.Kolla(folder=str(folder))}
    exited = order("run", **given)
    assert exited.code == 1
    assert "config.json" in exited.output
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    assert order("run", **given).code == 0


def test_an_engine_that_does_not_answer_is_not_an_absent_container(order, sandbox):
    (sandbox.root / "dead").touch()
    exited = order("stop", absent_ok=True)
    assert exited.code == 1
    assert "Cannot connect" in exited.output


def test_an_engine_that_is_not_named_is_the_one_that_the_observer_asks(order, sandbox):
    sandbox.tool("docker", ENGINE)
    assert order("pull", engine="").code == 0
    assert not any(line.startswith("docker pull") for line in sandbox.log)


@pytest.mark.parametrize(
    "more",
    [
        {"image": ""},
        {"image": "--privileged"},
        {"image": "k/nova:pike@sha256:" + "0" * 64},
        {"image": "k/nova@sha256:0"},
        {"name": ""},
        {"name": "-x"},
        {"mounts": ("/a:b",)},
        {"mounts": ("/a:/b:ro:z",)},
        {"env": {"A-B": "x"}},
        {"network": "--x"},
    ],
)
def test_bad_arguments_are_refused(more):
    with pytest.raises(ValidationError):
        container.Model.model_validate({"action": "run", "name": "n", "image": "k/nova:pike", **more})
