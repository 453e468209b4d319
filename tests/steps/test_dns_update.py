import pytest
from pydantic import ValidationError

from reconciler.steps import dns_update

GOOD = {"server": "ns", "zone": "example.org.", "record": "a.example.org.", "was": [], "values": ["192.0.2.1"]}


@pytest.mark.parametrize(
    "bad",
    [
        {"zone": "example.org"},
        {"record": "a.example.net."},
        {"record": "aexample.org."},
        {"record": "a b.example.org."},
        {"values": []},
        {"was": ["192.0.2.1"]},
        {"values": ["192.0.2"]},
        {"values": ["2001:db8::1"]},
        {"type": "AAAA"},
        {"type": "CNAME", "values": ["b"]},
        {"type": "CNAME", "values": ["b.", "c."]},
        {"type": "TXT"},
        {"key_name": "mover"},
        {"key_name": "mover", "key_secret": "undeclared"},
        {"server": ""},
    ],
)
def test_bad_arguments_are_refused(bad):
    dns_update.Model.model_validate(GOOD)
    with pytest.raises(ValidationError):
        dns_update.Model.model_validate({**GOOD, **bad})


def test_taking_a_change_back_twice_is_the_change_itself():
    args = dns_update.Model.model_validate({**GOOD, "ttl": 60})
    back = dns_update.Model.model_validate(dns_update.undo(args).args)
    assert (back.was, back.values) == (args.values, args.was)
    assert dns_update.Model.model_validate(dns_update.undo(back).args) == args
