import stat

import pytest
from pydantic import ValidationError

from reconciler.steps import ini_options

CONF = """\
# The head stays.
[DEFAULT]
#rabbit_hosts = commented
rabbit_hosts = a:5672,
    b:5672
verbose=true
notification_driver = one
# between
notification_driver = two

; odd = 1
[libvirt]
live_migration_flag: VIR_MIGRATE_LIVE, X=Y

[keystone_authtoken]
identity_uri = http://old:35357
"""


@pytest.fixture
def conf(sandbox):
    (sandbox.root / "nova.conf").write_text(CONF)
    (sandbox.root / "nova.conf").chmod(0o604)
    return sandbox.root / "nova.conf"


@pytest.fixture
def act(sandbox, conf):
    def run(current="run-1", secrets=None, **args):
        sandbox.run_id = current
        model = ini_options.Model.model_validate({"path": str(conf), **args})
        return sandbox.run(ini_options.effect(model), secrets)

    return run


def test_deprecated_options_give_way_and_all_else_stays(conf, act):
    exited = act(
        set={"DEFAULT/transport_url": "rabbit://u:{secret:mq}@vip/", "DEFAULT/notification_driver": ["x", "y", "z"]},
        remove=["DEFAULT/rabbit_hosts", "libvirt/live_migration_flag", "DEFAULT/never_there"],
        rename={"keystone_authtoken/identity_uri": "keystone_authtoken/auth_url"},
        secrets={"mq": "p\\n&a\"ss$(id)'"},
    )
    assert (exited.code, exited.values) == (0, {"changed": "yes"}), exited.output
    assert (
        conf.read_text()
        == """\
# The head stays.
[DEFAULT]
#rabbit_hosts = commented
verbose=true
notification_driver = x
notification_driver = y
notification_driver = z
# between

; odd = 1
transport_url = rabbit://u:p\\n&a"ss$(id)'@vip/
[libvirt]

[keystone_authtoken]
auth_url = http://old:35357
"""
    )
    assert stat.S_IMODE(conf.stat().st_mode) == 0o604
    assert "p\\n&a" not in exited.output


@pytest.mark.parametrize("awk", ["busybox awk", "mawk"])
def test_every_awk_does_the_same(sandbox, conf, act, awk):
    sandbox.tool("awk", f'exec {awk} "$@"')
    wanted = {"DEFAULT/notification_driver": ["a\\tb", "c&d"], "new/x": "1"}
    assert act(set=wanted, remove=["DEFAULT/rabbit_hosts"], rename={"DEFAULT/verbose": "DEFAULT/debug"}).code == 0
    expected = CONF.replace("rabbit_hosts = a:5672,\n    b:5672\n", "", 1)
    expected = expected.replace("verbose=true", "debug = true").replace(
        "driver = one", "driver = a\\tb\nnotification_driver = c&d"
    )
    assert conf.read_text() == expected.replace("notification_driver = two\n", "") + "\n[new]\nx = 1\n"
    assert sandbox.log


def test_a_second_time_changes_nothing(conf, act):
    wanted = {"set": {"DEFAULT/a": "1", "new/b": ["2", "3"], "new/c": ""}, "rename": {"DEFAULT/verbose": "log/debug"}}
    assert act(**wanted).values == {"changed": "yes"}
    assert conf.read_text().endswith("\n\n[log]\ndebug = true\n\n[new]\nb = 2\nb = 3\nc =\n")
    before = conf.stat()
    assert act(**wanted).values == {"changed": "no"}
    assert conf.stat() == before


def test_what_is_so_already_keeps_its_form(conf, act):
    assert act(set={"DEFAULT/verbose": "true", "libvirt/live_migration_flag": "VIR_MIGRATE_LIVE, X=Y"}).values == {
        "changed": "no"
    }
    assert conf.read_text() == CONF


def test_a_rename_takes_continued_lines_along_and_yields_to_what_is_there(conf, act):
    assert (
        act(rename={"DEFAULT/rabbit_hosts": "oslo/hosts", "DEFAULT/verbose": "DEFAULT/notification_driver"}).code == 0
    )
    text = conf.read_text()
    assert text.endswith("[oslo]\nhosts = a:5672,\n    b:5672\n")
    assert "verbose" not in text
    assert text.count("notification_driver") == 2


def test_options_before_any_section_and_an_empty_file(conf, act):
    conf.write_text("a = 1\n[s]\nx = 1\n")
    assert act(set={"/a": "2", "/b": "3"}).code == 0
    assert conf.read_text() == "a = 2\nb = 3\n[s]\nx = 1\n"
    conf.write_text("[s]\nx = 1\n")
    assert act(set={"/a": "2", "/b": "3"}).code == 0
    assert conf.read_text() == "a = 2\nb = 3\n[s]\nx = 1\n"
    conf.write_text("")
    assert act(set={"s/x": "1"}).code == 0
    assert conf.read_text() == "[s]\nx = 1\n"


def test_the_file_comes_back_as_the_run_found_it(conf, act):
    assert act(set={"DEFAULT/a": "1"}).code == 0
    assert act(set={"DEFAULT/a": "2"}).code == 0
    assert act(current="run-2", set={"DEFAULT/a": "3"}).code == 0
    assert act(current="run-2", restore_from="self").code == 0
    assert "a = 2" in conf.read_text()
    for _ in range(2):
        assert act(current="run-3", restore_from="run-1").code == 0
        assert conf.read_text() == CONF
        assert stat.S_IMODE(conf.stat().st_mode) == 0o604
    conf.write_text("[x]\n")
    assert act(current="run-9", restore_from="self").code == 0
    assert conf.read_text() == "[x]\n"


def test_a_secret_with_a_second_line_and_a_link_are_refused(sandbox, conf, act):
    assert act(set={"s/x": "{secret:mq}"}, secrets={"mq": "a\nb = 1"}).code == 1
    assert conf.read_text() == CONF
    link = sandbox.root / "link.conf"
    link.symlink_to(conf)
    assert act(path=str(link), set={"s/x": "1"}).code == 1


def test_a_missing_file_is_an_error_unless_it_is_allowed(sandbox, act):
    path = str(sandbox.root / "none.conf")
    assert act(path=path, set={"s/x": "1"}).code == 1
    assert act(path=path, set={"s/x": "1"}, optional=True).values == {"changed": "no"}


@pytest.mark.parametrize(
    "bad",
    [
        {"set": {}},
        {"set": {"x": "1"}},
        {"set": {"a]/x": "1"}},
        {"set": {"a/x": "1\n2"}},
        {"set": {"a/x": ["1\n2"]}},
        {"set": {"a/x=": "1"}},
        {"remove": ["a/x"]},
        {"rename": {"a/y": "a/x"}},
        {"restore_from": "self"},
        {"path": "etc/x"},
    ],
)
def test_bad_arguments_are_refused(bad):
    good = {"path": "/etc/x", "set": {"a/x": "1"}}
    ini_options.Model.model_validate(good)
    with pytest.raises(ValidationError):
        ini_options.Model.model_validate({**good, **bad})
