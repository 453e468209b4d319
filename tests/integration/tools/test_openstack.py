"""The calls of the `openstack` command line, read by its own parsers."""

import json
import shlex
import subprocess

import pytest

from reconciler.steps import instance, live_migration, openstack_call
from tests.support.pytools import openstack

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]  # the tools are installed on first use

PARSE = """
import json, sys
from unittest.mock import MagicMock
from cliff.commandmanager import CommandManager
commands = CommandManager("openstack.cli")
for group in ("common", "compute.v2", "identity.v3", "network.v2", "image.v2", "volume.v3"):
    commands.load_commands(f"openstack.{group}")
for argv in json.load(sys.stdin):
    factory, name, rest = commands.find_command(argv)
    print(json.dumps([name, vars(factory(MagicMock(), None, name).get_parser(name).parse_args(rest))], default=str))
"""


@pytest.fixture(scope="module")
def read():
    python = openstack() / "bin" / "python"

    def parse(*argvs):
        done = subprocess.run(
            [python, "-c", PARSE], input=json.dumps(argvs), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    return parse


def called(sandbox, kind, args, answers):
    """Run a script with a command line that answers by its first words, and return what it was called with."""
    cases = "\n".join(
        f"{shlex.quote(words)}*) printf '%s\\n' {shlex.quote(text)} ;;" for words, text in answers.items()
    )
    record = (
        f"""for one; do printf '%s\\0' "$one"; done >>"{sandbox.root}/argv"; printf '\\n' >>"{sandbox.root}/argv" """
    )
    sandbox.tool("openstack", f'{record}\ncase "$*" in\n{cases}\nesac')
    sandbox.run(kind.effect(kind.Model.model_validate(args)))
    lines = (sandbox.root / "argv").read_text().split("\0\n")
    return [line.split("\0") for line in lines if line]


def test_a_drain_is_understood(sandbox, read):
    answers = {
        "compute service list": "enabled",
        "server list": "6f70656e-7374-61636b-0000-000000000001 ACTIVE",
        "server show": "ACTIVE",
    }
    argvs = called(sandbox, live_migration, {"source": "old-1", "onto": "new-1", "reason": "-odd"}, answers)
    told = dict(read(*argvs))
    assert told["compute service set"]["disable_reason"] == "-odd"
    assert (told["compute service set"]["host"], told["compute service set"]["service"]) == ("old-1", "nova-compute")
    assert told["server migrate"]["live_migration"] is True
    assert (told["server migrate"]["host"], told["server migrate"]["wait"]) == ("new-1", True)
    assert told["server list"]["host"] == "old-1"
    assert told["server list"]["all_projects"] is True
    (back,) = read(["compute", "service", "set", "--enable", "old-1", "nova-compute"])
    assert back[1]["enable"] is True


def test_an_instance_is_understood(sandbox, read):
    args = {
        "action": "create",
        "name": "canary",
        "flavor": "tiny",
        "image": "cirros",
        "network": "net",
        "zone": "nova:c1",
    }
    told = dict(read(*called(sandbox, instance, args, {"server show": "ACTIVE"})))
    created = told["server create"]
    assert (created["flavor"], created["image"], created["availability_zone"]) == ("tiny", "cirros", "nova:c1")
    assert (created["server_name"], created["wait"]) == ("canary", True)
    assert told["server list"]["name"] == "^canary$"
    (gone,) = read(["server", "delete", "--wait", "id"])
    assert gone[1]["server"] == ["id"]


CALLS = [
    {
        "ask": ["network", "agent", "list", "--host", "h", "--agent-type", "dhcp"],
        "column": "ID",
        "do": ["network", "agent", "set", "--disable", "id"],
        "back": ["network", "agent", "set", "--enable", "{}"],
    },
    {
        "ask": ["endpoint", "list", "--service", "placement", "--interface", "public", "--region", "r"],
        "column": "ID",
        "do": ["endpoint", "create", "--region", "r", "placement", "public", "http://vip:8778"],
        "back": ["endpoint", "delete", "{}"],
    },
    {
        "ask": ["service", "list"],
        "column": "Name",
        "do": ["service", "create", "--name", "placement", "placement"],
        "back": ["service", "delete", "placement"],
    },
    {
        "ask": ["user", "show", "--domain", "Default", "placement"],
        "column": "id",
        "do": ["user", "create", "--domain", "Default", "--password-prompt", "placement"],
    },
]


@pytest.mark.parametrize("args", CALLS, ids=lambda args: "-".join(args["ask"][:2]))
def test_calls_of_the_reference_are_understood(sandbox, read, args):
    argvs = called(sandbox, openstack_call, {**args, "want": "never", "wait_s": 0}, {args["ask"][0]: "an-id"})
    assert len(argvs) == 3
    told = read(*argvs)
    assert told[0][1]["columns"] == [args["column"]]
    assert told[0][1]["formatter"] == "value"
    if back := args.get("back"):
        assert read([word.replace("{}", "id") for word in back])
