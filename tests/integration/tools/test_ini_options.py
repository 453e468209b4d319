"""What `ini_options` writes, as oslo.config reads it."""

import json
import subprocess

import pytest

from reconciler.steps import ini_options
from tests.support.pytools import openstack

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]  # the tools are installed on first use
READ = """
import json, sys
from oslo_config import cfg
conf = cfg.ConfigOpts()
conf.register_opts([cfg.StrOpt("transport_url"), cfg.MultiStrOpt("driver"), cfg.StrOpt("rabbit_hosts", default="gone")])
conf.register_opts([cfg.StrOpt("auth_url"), cfg.ListOpt("hosts")], "keystone_authtoken")
conf(["--config-file", sys.argv[1]])
print(json.dumps([conf.transport_url, conf.driver, conf.rabbit_hosts, conf.keystone_authtoken.auth_url,
                  conf.keystone_authtoken.hosts]))
"""


def test_oslo_config_reads_what_was_meant(sandbox):
    conf = sandbox.root / "nova.conf"
    conf.write_text(
        "[DEFAULT]\ndriver: one\nrabbit_hosts = a,\n  b\n[keystone_authtoken]\nidentity_uri=http://old\nh = x,\n  y\n"
    )
    model = ini_options.Model(
        path=str(conf),
        set={"DEFAULT/transport_url": "rabbit://u:p#=;w@h/ # c", "DEFAULT/driver": ("two", "three")},
        remove=("DEFAULT/rabbit_hosts",),
        rename={
            "keystone_authtoken/identity_uri": "keystone_authtoken/auth_url",
            "keystone_authtoken/h": "keystone_authtoken/hosts",
        },
    )
    assert sandbox.run(ini_options.effect(model)).code == 0
    done = subprocess.run(
        [openstack() / "bin" / "python", "-c", READ, conf], check=True, capture_output=True, text=True
    )
    assert json.loads(done.stdout) == ["rabbit://u:p#=;w@h/ # c", ["two", "three"], "gone", "http://old", ["x", "y"]]
