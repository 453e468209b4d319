"""Read-only questions that are asked from the daemon's machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.domain.outcome import Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpProbe:
    """One HTTP request and what a good answer looks like.

    `url` and `body` may hold `{host}`, `{address}`, variables and `{secret:NAME}` placeholders. It is asked `count`
    times, `interval_s` apart, and all must be good. Before the first good answer, up to
    `warmup_s` seconds of bad ones are forgiven, since a service that was just started needs a moment.
    """

    name: str
    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict, hash=False)
    body: str = ""
    status: int = 200
    expect_header: str = ""
    expect_body: str = ""
    count: int = 1
    interval_s: float = 1.0
    timeout_s: float = 10.0
    warmup_s: float = 30.0
    verify_tls: bool = True


def judge_response(probe: HttpProbe, status: int, headers: Mapping[str, str], body: bytes) -> Sample:
    """Say whether an answer is the good one; the text shows nothing of what the server sent but its status."""
    if status != probe.status:
        return Sample(False, f"status {status} instead of {probe.status}")
    if probe.expect_header and probe.expect_header.lower() not in {name.lower() for name in headers}:
        return Sample(False, f"status {status} without the header {probe.expect_header}")
    if probe.expect_body.encode() not in body:
        return Sample(False, f"status {status} without {probe.expect_body!r} in the body")
    return Sample(True, f"status {status}")
