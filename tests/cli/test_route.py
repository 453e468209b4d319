from __future__ import annotations

import yaml

from tests.cli.conftest import CASES, Call, conforms, shown


def test_json_is_the_contract(call: Call):
    found = call("route", "keystone", "yoga", "2026.1", "--policy", "offline", "-o", "json")
    route = conforms("route", found.stdout)
    assert found.exit_code == 0
    assert [hop["to"] for hop in route["hops"]] == ["2023.1", "2026.1"]
    assert route["equals"] == [["yoga", "zed", "2026.1"]]
    assert route["refused"][0]["rule"] == "keystone-legacy-removed"


def test_the_policy_is_supported_unless_said(call: Call):
    assert conforms("route", call("route", "keystone", "yoga", "2024.1", "-o", "json").stdout)["policy"] == "supported"


def test_codenames_are_understood_and_ids_are_printed(call: Call):
    route = conforms("route", call("route", "keystone", "2017.2", "Antelope", "-o", "json").stdout)
    assert (route["from"], route["to"]) == ("pike", "2023.1")


def test_no_way_is_exit_1_without_hops(call: Call):
    found = call("route", "keystone", "2026.1", "yoga", "-o", "json")
    route = conforms("route", found.stdout)
    assert found.exit_code == 1
    assert route["hops"] == []
    assert route["refused"][0]["rule"] == "never-down"


def test_nothing_to_do_is_exit_0(call: Call):
    found = call("route", "keystone", "yoga", "yoga")
    assert (found.exit_code, found.stdout) == (0, "keystone is at yoga: nothing to do\n")


def test_yaml_says_the_same(call: Call):
    argv = ("route", "keystone", "yoga", "2026.1", "--policy", "offline", "-o")
    assert yaml.safe_load(call(*argv, "yaml").stdout) == conforms("route", call(*argv, "json").stdout)


def test_the_table(call: Call):
    found = call("route", "keystone", "yoga", "2026.1", "--policy", "offline")
    assert shown(CASES / "route.txt", found.stdout)


def test_unknown_names_are_named_with_suggestions(call: Call):
    service = call("route", "keystne", "yoga", "zed")
    assert service.exit_code == 1
    assert service.stdout == ""
    assert service.stderr == "error: service 'keystne' is not in the catalog\nhint: did you mean keystone?\n"
    release = call("route", "keystone", "yogi", "zed")
    assert release.exit_code == 1
    assert "did you mean yoga?" in release.stderr


def test_a_missing_word_is_a_usage_error(call: Call):
    found = call("route", "keystone", "yoga")
    assert found.exit_code == 2
    assert "TO" in found.stderr
