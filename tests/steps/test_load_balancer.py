import pytest
from pydantic import ValidationError

from reconciler.steps import load_balancer


@pytest.mark.parametrize(
    "more",
    [
        {"backend": "a/b"},
        {"server": "x; shutdown"},
        {"server": "x\nshow"},
        {"state": "off"},
        {"socket": "tcp:1"},
        {"socket": "/a,fork"},
    ],
)
def test_bad_arguments_are_refused(more):
    with pytest.raises(ValidationError):
        load_balancer.Model.model_validate({"backend": "b", "server": "s", "state": "drain", **more})


def test_a_socket_that_is_not_there_is_said(sandbox):
    given = {"backend": "b", "server": "s", "state": "drain", "socket": str(sandbox.root / "none")}
    exited = sandbox.run(load_balancer.effect(load_balancer.Model.model_validate(given)))
    assert exited.code == 1
    assert "is haproxy running" in exited.output
