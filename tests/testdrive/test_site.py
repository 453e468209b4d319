"""The desired state of the testdrive, as the product's own reader and planner see it."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.catalog.load import load_catalog
from reconciler.desired import Problems
from reconciler.domain.desired import Desired
from reconciler.domain.route import RoutePolicy
from reconciler.execution.read import read_files
from reconciler.planning.build import build_for
from reconciler.planning.position import version_of
from reconciler.planning.route import find_route
from reconciler.settings import read_settings
from reconciler.testdrive import keystone
from reconciler.testdrive.acts import BREAK, CONFIG_FILE, SERVICE_FILE
from reconciler.testdrive.site import BEGIN, GOAL, RELEASES, STOP, Site, desired_files, new_site, settings_text


@pytest.fixture(params=["sqlite", "mariadb"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Site:
    return new_site(tmp_path, request.param)


def read(files: dict[str, str]) -> Desired:
    found = read_files({name: text.encode() for name, text in files.items()})
    assert not isinstance(found, Problems), str(found)
    return found


def test_every_commit_of_the_acts_is_valid(site):
    files = dict(desired_files(site))
    assert read(files).services["keystone"].release == BEGIN
    files[SERVICE_FILE] = files[SERVICE_FILE].replace(f"release: {BEGIN}", f'release: "{GOAL}"')
    assert read(files).services["keystone"].release == GOAL
    before = files[CONFIG_FILE]
    files[CONFIG_FILE] = before.replace(*BREAK)
    assert files[CONFIG_FILE] != before
    read(files)


def test_no_two_servers_share_a_port(site):
    ports = [port for host in site.hosts for port in (host.ssh_port, host.api_port)]
    ports += [site.database_port, site.web_port]
    assert len(set(ports)) == len(ports) == 8


def test_the_daemon_takes_its_settings(site):
    site.settings.write_text(settings_text(site))
    assert read_settings(site.settings).store_url == site.journal_url


def test_the_route_passes_the_release_that_has_wheels_for_it():
    route = find_route(load_catalog(), "keystone", BEGIN, GOAL, RoutePolicy.OFFLINE)
    assert route.stops == (BEGIN, STOP, GOAL)


def test_hosts_install_the_versions_that_are_downloaded(site):
    desired = read(dict(desired_files(site)))
    service = desired.services["keystone"]
    for release in RELEASES:
        build = build_for(service, desired.hosts["ks1"], release, version_of(service, load_catalog(), release))
        assert build is not None
        version = keystone.PACKAGES[release].version
        assert build.versions["keystone"] == build.versions["keystone-dependencies"] == version
