"""The forms of versions; dpkg is asked for its opinion where it is."""

import re
import shutil
import subprocess

import pytest

from reconciler.domain.version import DEB, NUMBERS, RPM

DEBS = ["1", "059-4", "2:21.0.1-0ubuntu1", "1..2-1", "1.0--1", "1.0-1-2", "1.", "1~", "1.0~rc1+dfsg-1~bpo12+1"]
RPMS = ["21.0.1-1.el9", "1:17.0.13-1.el7", "1.0~rc1-0.1^git2.fc40", "1-~1", "a-1", "1_2-1.", ".1-1", ".-1"]


@pytest.mark.parametrize("text", DEBS)
def test_a_version_of_a_deb_package(text):
    assert re.fullmatch(DEB, text)
    if shutil.which("dpkg"):
        assert subprocess.run(["dpkg", "--validate-version", text], check=False).returncode == 0


@pytest.mark.parametrize(
    "text", ["", "1.0-", "1:", ":1", "a1", "~1", "-1", "1.0-1_2", "1 2", "1\n", "9999999999:1", "0:1", "01:1", "$(id)"]
)
def test_no_deb_package_shows_this_version(text):
    assert not re.fullmatch(DEB, text)


@pytest.mark.parametrize("text", RPMS)
def test_a_version_of_an_rpm_package(text):
    assert re.fullmatch(RPM, text)


@pytest.mark.parametrize(
    "text",
    ["", "1.0", "1.0-", "-1", "1-2-3", "1..2-1", "1-1..2", "0:1-1", "01:1-1", "1!-1", "1-1\n", "..-1", "1:2:3-1"],
)
def test_no_rpm_package_shows_this_version(text):
    assert not re.fullmatch(RPM, text)


@pytest.mark.parametrize(("text", "fits"), [("2015.1.0", True), ("19", True), ("19.", False), ("19.0.0b1", False)])
def test_numbers_and_dots(text, fits):
    assert bool(re.fullmatch(NUMBERS, text)) == fits
