"""Orders to Ceph, given to a real monitor."""

import pytest

from reconciler.domain.outcome import Done, Failed
from reconciler.steps import Evidence, ceph
from tests.support.ceph import running_mon

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]  # the tools are installed on first use


@pytest.fixture(scope="module")
def conf(tmp_path_factory):
    with running_mon(tmp_path_factory.mktemp("ceph")) as path:
        yield path


@pytest.fixture
def act(sandbox, conf):
    def run(current="run-1", **args):
        sandbox.run_id = current
        model = ceph.Model.model_validate({"conf": str(conf), **args})
        return ceph.judge(model, Evidence(sandbox.run(ceph.effect(model))))

    return run


def test_a_flag_is_set_and_comes_back_as_it_was(act):
    for _ in range(2):
        done = act(action="flag", flag="noout")
        assert isinstance(done, Done), done
        assert done.values == {"before": "unset"}
    assert act(current="run-2", action="flag", flag="noout").values == {"before": "set"}
    assert isinstance(act(current="run-2", action="flag", flag="noout", restore_from="self"), Done)
    assert act(current="run-3", action="flag", flag="noout").values == {"before": "set"}
    assert isinstance(act(current="run-4", action="flag", flag="noout", restore_from="run-1"), Done)
    assert act(current="run-5", action="flag", flag="noout", set=False).values == {"before": "unset"}
    assert "was not touched" in act(current="run-6", action="flag", flag="noup", restore_from="self").text


def test_a_monitor_alone_has_its_quorum(act):
    done = act(action="wait", until=["quorum", "healthy"], wait_s=30)
    assert isinstance(done, Done), done


def test_versions_are_read_from_the_daemons(act):
    done = act(action="versions", target="mon.*", version="16.")
    assert isinstance(done, Done), done
    assert done.values["versions"].startswith("1x16.")
    failed = act(action="versions", target="mon.a", version="10.2")
    assert isinstance(failed, Failed)
    assert "instead of 10.2" in failed.text


def test_settings_reach_a_running_daemon(act):
    settings = {"mon_max_pg_per_osd": "77", "mon_osd_down_out_interval": "601"}
    done = act(action="inject", target="mon.a", settings=settings)
    assert isinstance(done, Done), done
    assert "601" in done.text


def test_older_osds_are_refused(act):
    done = act(action="require", release="pacific")
    assert isinstance(done, Done), done
    assert isinstance(act(action="require", release="nonsense"), Failed)
