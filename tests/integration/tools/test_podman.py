"""The argv of `container` against podman itself, in a store of its own. Nothing is started: that is the lab's."""

import json
import os
import subprocess

import pytest

from reconciler.steps import container
from tests.support.debian import program

pytestmark = pytest.mark.integration
IMAGE = "localhost/tiny:1"


@pytest.fixture
def podman(sandbox):
    """`run --detach` becomes `create`; every other word goes to podman as it stands."""
    real = program("podman", "podman")
    store = sandbox.root / "storage.conf"
    store.write_text(f'[storage]\ndriver = "vfs"\nrunroot = "{sandbox.root}/run"\ngraphroot = "{sandbox.root}/graph"\n')
    sandbox.env["CONTAINERS_STORAGE_CONF"] = str(store)
    env = os.environ | sandbox.env
    sandbox.tool(
        "podman",
        f'if [ "$1" = run ]; then shift; for word; do shift; [ "$word" = --detach ] || set -- "$@" "$word"; done\n'
        f'  set -- create "$@"; fi\nexec {real} "$@"',
    )
    (sandbox.root / "empty").mkdir()
    archive = subprocess.run(["tar", "-C", sandbox.root / "empty", "-c", "."], check=True, capture_output=True).stdout
    make = [real, "import", "--quiet", "--change", 'CMD ["/bin/api"]', "-", IMAGE]
    subprocess.run(make, input=archive, env=env, check=True, capture_output=True)

    def ask(*words):
        return subprocess.run([real, *words], env=env, check=True, capture_output=True, text=True).stdout

    yield ask
    ask("rm", "--force", "--all")


@pytest.fixture
def order(sandbox, podman):
    def run(action, **more):
        model = container.Model(action=action, name="nova_compute", image=IMAGE, engine="podman", wait_s=1, **more)
        return sandbox.run(container.effect(model))

    return run


def test_a_container_is_made_as_it_was_asked_for(sandbox, podman, order):
    folder = sandbox.root / "config_files"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    asked = {
        "privileged": True,
        "network": "host",
        "pid": "host",
        "ipc": "host",
        "user": "42436",
        "restart": "unless-stopped",
        "env": {"A": "b $(c)"},
        "mounts": ("/usr/lib:/lib/modules:ro", "/run:/run:shared", "/dev:/dev", "kolla_logs:/var/log/kolla"),
        "command": ("/bin/kolla_start", "--x=a b"),
        "kolla": container.Kolla(folder=str(folder)),
    }
    assert "does not run" in order("run", **asked).output  # it was made and is not started here
    (seen,) = json.loads(podman("container", "inspect", "nova_compute"))
    host = seen["HostConfig"]
    assert (host["Privileged"], host["NetworkMode"], host["PidMode"]) == (True, "host", "host")
    assert "--ipc=host" in seen["Config"]["CreateCommand"]
    assert host["RestartPolicy"]["Name"] == "unless-stopped"
    assert seen["Config"]["User"] == "42436"
    assert seen["Config"]["Cmd"] == ["/bin/kolla_start", "--x=a b"]
    assert {"A=b $(c)", "KOLLA_CONFIG_STRATEGY=COPY_ALWAYS", "KOLLA_SERVICE_NAME=nova_compute"} <= {
        *seen["Config"]["Env"]
    }
    mounts = {mount["Destination"]: (mount["RW"], mount["Propagation"]) for mount in seen["Mounts"]}
    assert mounts["/var/lib/kolla/config_files"][0] is False
    assert mounts["/lib/modules"][0] is False
    assert mounts["/run"] == (True, "shared")
    assert "/var/log/kolla" in mounts
    # The same argv is known again, another one is not.
    assert "wants replacing" in order("run", **asked | {"pid": ""}).output
    assert "wants replacing" not in order("run", **asked).output


def test_a_container_goes_aside_and_comes_back(sandbox, podman, order):
    order("run")
    sandbox.run_id = "run-2"
    order("replace", privileged=True)
    assert sorted(podman("ps", "--all", "--format", "{{.Names}}").split()) == [
        "nova_compute",
        "nova_compute.before-run-2",
    ]
    assert order("back").code == 0
    assert podman("ps", "--all", "--format", "{{.Names}}").split() == ["nova_compute"]
    assert order("stop").code == 0
    assert order("remove").code == 0
    assert podman("ps", "--all", "--format", "{{.Names}}") == ""


def test_a_digest_is_read_back_and_compared(sandbox, podman, order):
    (digest,) = json.loads(podman("image", "inspect", IMAGE, "--format", "{{json .Digest}}")).split()
    by_digest = container.Model(action="pull", image=f"localhost/tiny@{digest}", engine="podman")
    assert sandbox.run(container.effect(by_digest)).code == 0
    assert "is not sha256:0" in order("replace", digest="sha256:" + "0" * 64).output
    assert "does not run" in order("replace", digest=digest).output


def test_an_image_that_no_registry_serves_cannot_be_pulled(sandbox, podman, order):
    asked = container.Model(action="can_pull", image="127.0.0.1:1/k/nova:pike", engine="podman")
    exited = sandbox.run(container.effect(asked))
    assert exited.code == 1
    assert "cannot be pulled here" in exited.output
    assert order("can_pull").code == 0
