from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from reconciler.domain.observation import (
    Absent,
    ConfigState,
    Container,
    Environment,
    HostFacts,
    HostReport,
    Known,
    Observations,
    Package,
    Unit,
    Unknown,
)
from reconciler.domain.relation import Finding
from reconciler.domain.schema import SchemaMarker
from reconciler.errors import ReconcilerError
from reconciler.planning.observed_json import observed_from_json, observed_to_json

AT = datetime(2026, 11, 21, 22, 0, 0, 123456, tzinfo=UTC)

SEEN = Observations(
    hosts={
        "ks1": Known(
            HostReport(
                facts=Known(HostFacts("b00t", {"/var": 5}), AT),
                packages={"keystone": Known(Package("2:21.0.1-0ubuntu1", True), AT), "nova": Absent(AT)},
                environments={"/srv/k": Known(Environment("/srv/k/yoga", AT, {"keystone": "21.0.1"}), AT)},
                containers={"k": Known(Container("img", "yoga", "sha256:1", "running", None), AT)},
                units={"keystone": Known(Unit("active", AT), AT), "x": Unknown("HostOutputInvalid", "odd", AT)},
                configs={"keystone": Known(ConfigState(None, AT), AT)},
            ),
            AT,
        ),
        "ks2": Unknown("HostUnreachable", "no answer", AT),
    },
    databases={
        ("keystone", "main"): Known(SchemaMarker(alembic=frozenset({"b", "a"}), migrate=None, tables=3), AT),
        ("keystone", "other"): Absent(AT),
        ("nova", "api"): Known(SchemaMarker(alembic=None, migrate={"nova": 402}, tables=3), AT),
    },
    exposures={
        ("rabbit", "rabbitmq-khepri"): Known(Finding(exposed=False, text="exit code 1"), AT),
        ("rabbit", "other"): Unknown("HostUnreachable", "no answer", AT),
    },
)


def test_what_is_written_reads_back_the_same():
    text = json.dumps(observed_to_json(SEEN))
    assert observed_from_json(text) == SEEN
    assert json.dumps(observed_to_json(observed_from_json(text))) == text


def test_heads_stand_in_one_order():
    written = observed_to_json(SEEN)
    assert written["databases"]["keystone"]["main"]["value"]["alembic"] == ["a", "b"]
    assert written["hosts"]["ks2"] == {
        "state": "unknown",
        "at": "2026-11-21T22:00:00.123456Z",
        "reason": "HostUnreachable",
        "text": "no answer",
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the file: Invalid JSON"),
        ("[]", "the file: Input should be an object"),
        ('{"hosts": {}}', "databases: Field required"),
        ('{"format": "other", "hosts": {}, "databases": {}}', "format: Input should be 'reconciler-observed/1'"),
        ('{"hosts": {"a": {"state": "fine"}}, "databases": {}}', "hosts.a.state: "),
        ('{"hosts": {"a": {"state": "absent", "at": "2026-01-01T00:00:00"}}, "databases": {}}', "hosts.a.at: "),
    ],
)
def test_another_form_is_refused_with_its_place(text, said):
    with pytest.raises(ReconcilerError) as caught:
        observed_from_json(text, "seen.json")
    assert f"seen.json: {said}" in str(caught.value)
