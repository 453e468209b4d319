"""What a plan of a large fleet costs: seconds and memory, for a fleet and for one a tenth as large.

    python -m benchmarks.plan_fleet [--hosts N]

Eight services, no network. Seven stand together on one host in a hundred, are one group and are fast-forwarded with
everything stopped; the eighth, agents without a database, stands on all other hosts and moves in waves of a hundred.
Every size is measured in a process of its own, because memory that was once taken is not given back. "plan" is what
`reconciler plan` works out: where everything stands, and the plans. Seconds are those of the processor; "pace" is what
five million additions take there, to compare machines and how busy they are. It prints and judges nothing.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from reconciler.catalog.load import load_catalog
from reconciler.cli.plan_markdown import markdown_of
from reconciler.cli.plan_tree import tree_of
from reconciler.cli.world import uncollected
from reconciler.desired import Problems
from reconciler.domain.desired import Desired
from reconciler.domain.observation import Environment, HostFacts, HostReport, Known, Observations, Unit
from reconciler.domain.schema import SchemaMarker
from reconciler.execution.read import read_files
from reconciler.planning.plan_json import plans_to_json
from reconciler.planning.preview import preview

T = TypeVar("T")
AT = datetime(2026, 1, 2, tzinfo=UTC)
CONTROL = tuple(f"control-{letter}" for letter in "abcdefg")
YOGA = {"keystone": 109, "keystone_contract": 79, "keystone_data_migrate": 79, "keystone_expand": 79}

SERVICE = """
{name}:
  component: keystone
  series: openstack
  release: "2026.1"
  procedure: {procedure}
  policy: offline
  roles: [{role}]
  units: [{name}-api.service, {name}-worker.service]
  builds:
    "*":
      environment:
        {{path: "/srv/{name}/{{release}}", link: /srv/{name}/current, requirements: ["keystone=={{version}}"]}}
  config:
    "*":
      - {{path: /etc/{name}/{name}.conf, source: files/service.conf}}
  commands:
    keystone-manage: ["{{env}}/bin/keystone-manage", --config-file, /etc/{name}/{name}.conf]
  waves: {waves}
  verify: [answers]
"""
DATABASE = """\
  databases: {{main: {{url: "mysql+pymysql://{name}@10.0.0.5/{name}"}}}}
  backup: {{dir: /var/backups/reconciler}}
"""
FLEET = """
fleet: {{name: benchmark}}
groups:
  control: {{services: [{services}]}}
hosts:
  "control-[1-{control}]": {{roles: [control]}}
  "compute-[1-{compute}]": {{roles: [compute]}}
probes:
  answers:
    http: {{url: "http://{{address}}:5000/v3", count: 2}}
procedures:
  agents:
    text: Prepare every host, then move wave after wave.
    leg: route
    phases:
      - {{phase: prepare, each: leg, on: fleet, steps: [prepare_build]}}
      - {{phase: roll, each: leg, on: wave, steps: [stop, install_build, configure, start, verify_build, verify]}}
"""


def files(hosts: int) -> dict[str, bytes]:
    """Write a desired state for so many hosts."""
    control = max(3, hosts // 100)
    services = "".join(
        (SERVICE + DATABASE).format(name=name, procedure="fast-forward", role="control", waves="[5]")
        for name in CONTROL
    )
    texts = {
        "fleet.yaml": FLEET.format(services=", ".join(CONTROL), control=control, compute=hosts - control),
        "services/control.yaml": services,
        "services/agent.yaml": SERVICE.format(name="agent", procedure="agents", role="compute", waves="[10, 100]"),
        "files/service.conf": "[DEFAULT]\n" + "".join(f"option_{n} = value {n}\n" for n in range(40)),
    }
    return {path: text.encode() for path, text in texts.items()}


def seen(desired: Desired) -> Observations:
    """Observe every service at yoga on every host."""
    marker = SchemaMarker(alembic=None, migrate=YOGA, tables=47)
    stand: dict[str, list[str]] = {}
    for service in desired.services.values():
        for host in service.hosts:
            stand.setdefault(host, []).append(service.name)
    return Observations(
        hosts={host: Known(_report(services), AT) for host, services in stand.items()},
        databases={(name, "main"): Known(marker, AT) for name in CONTROL},
    )


def _report(services: list[str]) -> HostReport:
    return HostReport(
        facts=Known(HostFacts("boot"), AT),
        environments={
            f"/srv/{name}/current": Known(Environment(f"/srv/{name}/yoga", AT, {"keystone": "21.0.1"}), AT)
            for name in services
        },
        units={
            f"{name}-{part}.service": Known(Unit("active", AT), AT) for name in services for part in ("api", "worker")
        },
    )


def measure(hosts: int) -> dict[str, float]:
    """Do everything once and return seconds per part, the steps, and the peak of memory in MB."""
    taken: dict[str, float] = {"hosts": hosts}

    def timed(name: str, work: Callable[[], T]) -> T:
        before = time.process_time()
        done = work()
        taken[name] = time.process_time() - before
        return done

    timed("pace", lambda: sum(number for number in range(5_000_000)))
    desired = timed("read", lambda: read_files(files(hosts)))
    assert not isinstance(desired, Problems), desired
    catalog, observed = load_catalog(desired.catalog), seen(desired)
    previews = timed("plan", lambda: preview(desired, catalog, observed, AT))
    plans = [each.plan for each in previews if each.plan]
    assert not any(plan.blocked for plan in plans), plans[0].blocked[:3]
    taken |= {"steps": sum(len(plan.steps) for plan in plans), "plan MB": _peak_mb()}
    timed("json", lambda: json.dumps(plans_to_json(previews)))
    timed("tree", lambda: [tree_of(each) for each in previews])
    timed("markdown", lambda: markdown_of(previews))
    return taken | {"all MB": _peak_mb()}


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def report(small: dict[str, float], large: dict[str, float]) -> str:
    """Set both sizes side by side with their ratio."""
    lines = [f"{'':10} {'small':>10} {'large':>10} {'ratio':>7}"]
    lines += [f"{name:10} {small[name]:10.2f} {large[name]:10.2f} {large[name] / small[name]:7.1f}" for name in large]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--hosts", type=int, default=10_000)
    parser.add_argument("--alone", action="store_true", help="measure this size in this process, as JSON")
    options = parser.parse_args()
    if options.alone:
        with uncollected():
            print(json.dumps(measure(options.hosts)))
        return
    argv = (sys.executable, "-m", "benchmarks.plan_fleet", "--alone", "--hosts")
    sizes = (options.hosts // 10, options.hosts)
    found = [subprocess.run([*argv, str(size)], check=True, capture_output=True, text=True) for size in sizes]
    print(report(*(json.loads(each.stdout) for each in found)))


if __name__ == "__main__":
    main()
