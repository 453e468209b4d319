"""Actions that ask the probes of a service: of every host that moved, and once at the end."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace

from reconciler.domain.desired import SecretRef
from reconciler.domain.placeholder import fill
from reconciler.domain.plan import Json
from reconciler.domain.probe import ContainerProbe, HttpProbe, Probe, RowsProbe
from reconciler.domain.procedure import ActionSpec
from reconciler.planning.database_actions import database_to_json, named_database
from reconciler.planning.direct import direct, filled_args
from reconciler.planning.setting import Draft, Setting, UnfitError
from reconciler.planning.words import host_words
from reconciler.steps import wait_until

_HTTP = tuple(each.name for each in fields(HttpProbe))


def verify(setting: Setting, _: Mapping[str, object]) -> tuple[Draft, ...]:
    """Ask a host the probes of its service: a canary for as long as git wants it to soak."""
    probes, soak_s = setting.service.verify, setting.service.canary.soak_s
    if (setting.onto and not setting.leads) or not soak_s:
        return asked_once(setting)
    strict = tuple(
        _draft(setting, _soaked(_of_build(probe, setting), soak_s), "soak") for probe in probes if not probe.report_only
    )
    reports = tuple(_draft(setting, probe, "verify") for probe in probes if probe.report_only)
    return (*((_soak(strict, soak_s),) if strict else ()), *reports)


def asked_once(setting: Setting) -> tuple[Draft, ...]:
    """Ask a host the probes of its service, without a soak."""
    return tuple(_draft(setting, _of_build(probe, setting), "verify") for probe in setting.service.verify)


def _of_build(probe: Probe, setting: Setting) -> Probe:
    """Have a container run the image of the build that the host has moved to: healthy on the old one is not healthy."""
    if not isinstance(probe, ContainerProbe) or probe.image or setting.host is None:
        return probe
    build = setting.build(setting.goal)
    images = {each.name: each.image for each in build.containers} if build else {}
    return replace(probe, image=images.get(probe.container, ""))


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
    at = _somewhere(replace(setting, host=None))
    return tuple(_draft(at, _of_build(probe, at), "smoke") for probe in setting.service.smoke)


def wait(setting: Setting, args: Mapping[str, object]) -> tuple[Draft, ...]:
    """Wait until a question of the host is good, or a probe; raises UnfitError where there is none of that name."""
    if "probe" not in args:
        return direct(setting, ActionSpec(wait_until.KIND, args))
    form = wait_until.Form.model_validate(args)
    asked = replace(
        named_probe(setting, form.probe), count=form.good, interval_s=form.interval_s, warmup_s=form.deadline_s
    )
    draft = _draft(_somewhere(setting), asked, "wait until")
    times = f"{form.good} times in a row" if form.good > 1 else "once"
    title = f"wait until {asked.name} is good {times}, {form.deadline_s} s at most"
    return (replace(draft, title=title, key=wait_until.KIND),)


def watched(setting: Setting, probe: str, name: str, order: str) -> tuple[Draft, ...]:
    """Ask a probe as a watch: good at the start, once it has warmed up, and good at once at each check.

    It needs no end: the last check is one.
    """
    if order == "stop":
        return ()
    asked = named_probe(setting, probe)
    draft = _draft(_somewhere(setting), replace(asked, steady=order == "check"), "watch")
    title = {"start": f"begin to watch {name}", "check": f"check the watch on {name}"}[order]
    return (replace(draft, title=title, key=f"watch.{name}.{order}", args={**draft.args, "canary": True}),)


def named_probe(setting: Setting, name: str) -> Probe:
    """Return a probe of the desired state; raises UnfitError."""
    found = setting.desired.probes.get(name)
    if found is None:
        raise UnfitError(f"there is no probe {name!r}; there are {', '.join(setting.desired.probes) or 'none'}")
    return found


def _somewhere(setting: Setting) -> Setting:
    """Ask on the bootstrap host what has no host of its own."""
    return setting if setting.host else replace(setting, host=setting.desired.hosts[setting.service.bootstrap])


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
