"""Read-only questions that are asked from the daemon's machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpProbe:
    """One HTTP request and what a good answer looks like.

    `url` and `body` may hold `{host}`, `{address}`, variables and `{secret:NAME}` placeholders. It is asked `count`
    times, `interval_s` apart; all must be good within `deadline_s` of the first. Before the first good answer, up to
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
