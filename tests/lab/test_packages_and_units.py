"""Packages and units by the step kinds' and observers' real scripts, with the hosts' own apt, dpkg and systemd."""

import shlex
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from reconciler.adapters.script import quote, render_script
from reconciler.domain.desired import BuildSpec, Host, Service
from reconciler.domain.effect import HostScript
from reconciler.domain.observation import Absent, HostReport, Known, Package, Unit
from reconciler.observers import compose, read_report
from reconciler.ports import Answer
from reconciler.steps import kinds
from tests.lab.lab import Lab, LabError, LabHost
from tests.lab.repository import DEMO, DEMO_VERSIONS

pytestmark = pytest.mark.lab

OLD, MIDDLE, NEW = DEMO_VERSIONS
NAMES = "RECONCILER_RUN=lab RECONCILER_HOME=/run/rec RECONCILER_VALUES=/run/rec-values"


@pytest.fixture
def h1(lab: Lab) -> LabHost:
    return lab.hosts["h1"]


async def carry(host: LabHost, kind: str, **args: object) -> str:
    """Carry a step out as the runner does, and return its output; LabError when it fails."""
    script = kinds()[kind].effect(kinds()[kind].Model.model_validate(args))
    assert isinstance(script, HostScript)
    await host.run("cat >/run/rec-script; : >/run/rec-values", stdin=render_script(script))
    return await host.run(f"{NAMES} sh /run/rec-script </dev/null 2>&1")


async def look(host: LabHost) -> HostReport:
    """Ask a host everything about the demo service and a package and a unit that are not there."""
    build = BuildSpec(form="packages", packages={DEMO: "", "no-such-package": ""})
    service = Service(
        name="demo",
        component="demo",
        series="x",
        release="x",
        procedure="x",
        units=(DEMO, "no-such-unit"),
        builds={"*": build},
    )
    questions = compose(Host(name=host.name, address=host.address), [service])
    answers = {}
    for question in questions:
        command = f"sh -c {shlex.quote(question.script)} reconciler {quote(question.args)} 2>/dev/null; echo; echo $?"
        output, _, code = (await host.run(command)).rstrip("\n").rpartition("\n")
        answers[question.key] = Answer(int(code), output.rstrip("\n").encode() + b"\n")
    return read_report(questions, answers, datetime.now(UTC))


async def package_and_unit(host: LabHost) -> tuple[Package, Unit]:
    report = await look(host)
    package, unit = report.packages[DEMO], report.units[DEMO]
    assert isinstance(package, Known)
    assert isinstance(unit, Known)
    return package.value, unit.value


@pytest.fixture
async def clean(h1: LabHost) -> AsyncIterator[LabHost]:
    await h1.run("printf '#!/bin/sh\\nexit 0\\n' >/usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d")
    yield h1
    ours = f"/run/rec* /run/apt-errors /usr/sbin/policy-rc.d /etc/systemd/system/{DEMO}.service.d"
    await h1.run(f"apt-mark unhold {DEMO}; dpkg --purge {DEMO}; rm -rf {ours}; systemctl daemon-reload")


async def test_what_is_not_there_is_absent(clean: LabHost) -> None:
    report = await look(clean)
    assert isinstance(report.packages["no-such-package"], Absent)
    assert isinstance(report.units["no-such-unit"], Absent)


async def test_a_host_moves_up_and_down_by_exact_versions(clean: LabHost) -> None:
    await carry(clean, "deb_packages", action="download", packages={DEMO: OLD})
    assert await clean.run(f"dpkg-query -W {DEMO} 2>/dev/null || echo none") == "none"

    await carry(clean, "deb_packages", action="install", packages={DEMO: OLD})
    package, unit = await package_and_unit(clean)
    assert (package.version, package.held, unit.state) == (OLD, True, "inactive")

    await carry(clean, "units", units=[DEMO], state="started")
    _, running = await package_and_unit(clean)
    assert running.state == "active"
    assert running.started_at is not None

    await carry(clean, "deb_packages", action="install", packages={DEMO: NEW})
    package, unit = await package_and_unit(clean)
    assert (package.version, package.held) == (NEW, True)
    assert unit == running  # the old process runs on: starting is not the packages' business
    assert package.installed_at is not None
    assert package.installed_at >= running.started_at

    await carry(clean, "units", units=[DEMO], state="stopped")
    await carry(clean, "deb_packages", action="install", packages={DEMO: OLD}, hold=False)
    package, unit = await package_and_unit(clean)
    assert (package.version, package.held, unit.state) == (OLD, True, "inactive")
    assert await clean.run("cat /usr/sbin/policy-rc.d") == "#!/bin/sh\nexit 0"


async def test_a_version_that_is_nowhere_changes_nothing(clean: LabHost) -> None:
    with pytest.raises(LabError):
        await carry(clean, "deb_packages", action="install", packages={DEMO: "99"})
    assert await clean.run("cat /usr/sbin/policy-rc.d") == "#!/bin/sh\nexit 0"
