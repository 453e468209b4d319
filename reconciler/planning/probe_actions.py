"""Actions that ask the probes of a service: of every host that moved, and once at the end."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace

from reconciler.domain.desired import SecretRef
from reconciler.domain.placeholder import fill
from reconciler.domain.plan import Json
from reconciler.domain.probe import HttpProbe, Probe, RowsProbe
from reconciler.planning.database_actions import database_to_json, named_database
from reconciler.planning.direct import filled_args
from reconciler.planning.setting import Draft, Setting
from reconciler.planning.words import host_words

_HTTP = tuple(each.name for each in fields(HttpProbe))


def verify(setting: Setting, _: Mapping[str, object]) -> tuple[Draft, ...]:
    """Ask a host the probes of its service: a canary for as long as git wants it to soak."""
    probes, soak_s = setting.service.verify, setting.service.canary.soak_s
    if (setting.onto and not setting.leads) or not soak_s:
        return asked_once(setting)
    strict = tuple(_draft(setting, _soaked(probe, soak_s), "soak") for probe in probes if not probe.report_only)
    reports = tuple(_draft(setting, probe, "verify") for probe in probes if probe.report_only)
    return (*((_soak(strict, soak_s),) if strict else ()), *reports)


def asked_once(setting: Setting) -> tuple[Draft, ...]:
    """Ask a host the probes of its service, without a soak."""
    return tuple(_draft(setting, probe, "verify") for probe in setting.service.verify)


def _soak(drafts: Sequence[Draft], soak_s: float) -> Draft:
    """Ask several probes side by side, in one step."""
    args: dict[str, Json] = {
        "http": [dict(each.args) for each in drafts if each.kind == "http_probe"],
        "others": [dict(each.args) for each in drafts if each.kind == "probe"],
    }
    title = f"soak for {soak_s:g} s: {len(drafts)} probes"
    return Draft(kind="soak", title=title, key="soak", args=args, lasts_s=max(each.lasts_s for each in drafts))


def smoke(setting: Setting, _: Mapping[str, object]) -> tuple[Draft, ...]:
    """Ask the probes of the whole service."""
    at = replace(setting, host=setting.desired.hosts[setting.service.bootstrap])
    return tuple(_draft(at, probe, "smoke") for probe in setting.service.smoke)


def _soaked(probe: Probe, soak_s: float) -> Probe:
    """Have a probe good for a span: as many times in a row as its interval makes of it."""
    return replace(probe, count=max(probe.count, math.ceil(soak_s / probe.interval_s)))


def _draft(setting: Setting, probe: Probe, verb: str) -> Draft:
    args = _by_http(setting, probe) if isinstance(probe, HttpProbe) else _other(setting, probe)
    span_s = probe.warmup_s + probe.count * (probe.interval_s + probe.timeout_s)
    return Draft(
        kind="http_probe" if isinstance(probe, HttpProbe) else "probe",
        title=f"{verb}: {probe.name} {probe.count} times",
        key=f"{verb}.{probe.name}",
        args=args,
        advisory=probe.report_only,
        lasts_s=span_s,
    )


def _by_http(setting: Setting, probe: HttpProbe) -> dict[str, Json]:
    words = host_words(setting.service, setting.host)
    filled: dict[str, Json] = {
        **{name: getattr(probe, name) for name in _HTTP},
        "url": fill(probe.url, words),
        "body": fill(probe.body, words),
        "headers": {name: fill(value, words) for name, value in probe.headers.items()},
    }
    return {"probe": filled, "secret_refs": refs(setting.service.secrets)}


def _other(setting: Setting, probe: Probe) -> dict[str, Json]:
    filled = filled_args(asdict(probe), host_words(setting.service, setting.host))
    assert isinstance(filled, dict)
    args: dict[str, Json] = {"probe": filled, "host": setting.host.name if setting.host else ""}
    if isinstance(probe, RowsProbe):
        args["database"] = database_to_json(named_database(setting, probe.database)[1])
    return args


def refs(secrets: Mapping[str, SecretRef]) -> dict[str, Json]:
    """Render secrets as they stand in a plan: by reference."""
    return {name: {"kind": ref.kind, "origin": ref.origin} for name, ref in secrets.items()}
