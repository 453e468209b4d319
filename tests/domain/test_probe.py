from __future__ import annotations

import pytest

from reconciler.domain.outcome import Sample
from reconciler.domain.probe import HttpProbe, judge_response

TOKEN = HttpProbe(name="token", url="x", status=201, expect_header="X-Subject-Token", expect_body='"token"')


@pytest.mark.parametrize(
    ("status", "headers", "body", "sample"),
    [
        (201, {"x-subject-token": "gAAAA"}, b'{"token": {}}', Sample(True, "status 201")),
        (200, {"x-subject-token": "gAAAA"}, b'{"token": {}}', Sample(False, "status 200 instead of 201")),
        (500, {}, b"traceback with password", Sample(False, "status 500 instead of 201")),
        (201, {"X-Other": "1"}, b'{"token": {}}', Sample(False, "status 201 without the header X-Subject-Token")),
        (201, {"X-Subject-Token": ""}, b"<html>", Sample(False, "status 201 without '\"token\"' in the body")),
    ],
)
def test_only_the_right_answer_is_good(status, headers, body, sample):
    assert judge_response(TOKEN, status, headers, body) == sample


def test_a_plain_probe_asks_for_the_status_alone():
    assert judge_response(HttpProbe(name="up", url="x"), 200, {}, b"").ok is True
