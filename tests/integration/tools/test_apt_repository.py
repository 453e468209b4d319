"""What `package_repository` writes for apt, read by apt itself."""

import subprocess

import pytest

from reconciler.steps import package_repository

pytestmark = pytest.mark.integration


def test_apt_reads_the_file(tmp_path):
    model = package_repository.Model(
        manager="apt",
        name="pike",
        url="http://mirror.invalid/ubuntu",
        suites=("xenial-updates/pike", "xenial-proposed/pike"),
        components=("main", "extra"),
        key="-----BEGIN PGP PUBLIC KEY BLOCK-----\n",
        priority=1001,
    )
    files = dict(zip(*[iter(package_repository.effect(model).args[5:])] * 2, strict=True))
    listed, pin = tmp_path / "pike.list", tmp_path / "pike.pref"
    listed.write_text(files["apt/sources.list.d/pike.list"])
    pin.write_text(files["apt/preferences.d/pike.pref"])
    options = [
        *("-o", f"Dir::Etc::sourcelist={listed}", "-o", "Dir::Etc::sourceparts=-"),
        *("-o", f"Dir::Etc::preferences={pin}", "-o", "Dir::Etc::preferencesparts=/dev/null"),
    ]
    asked = ["apt-get", *options, "--print-uris", "update"]
    done = subprocess.run(asked, capture_output=True, text=True, check=True)
    uris = [line.split("'")[1] for line in done.stdout.splitlines()]
    assert done.stderr == ""
    assert {uri.partition("/binary-")[0] for uri in uris if "/binary-" in uri} == {
        f"http://mirror.invalid/ubuntu/dists/xenial-{suite}/pike/{component}"
        for suite in ("updates", "proposed")
        for component in ("main", "extra")
    }
    done = subprocess.run(["apt-cache", *options, "policy"], capture_output=True, text=True, check=True)
    assert done.stderr == ""
