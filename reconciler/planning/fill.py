"""Fills placeholders; the only place where words of the desired state meet text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from reconciler.domain.desired import Host, Service

_PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")


def fill(text: str, words: Mapping[str, str]) -> str:
    """Replace each `{word}` that is known, once; others, and `{secret:NAME}`, stay as they are."""
    return _PLACEHOLDER.sub(lambda match: words.get(match[1], match[0]), text)


def host_words(service: Service, host: Host | None) -> dict[str, str]:
    """Return the words that hold on a host, whatever the release; host variables win over the service's."""
    words = dict(service.vars) | {"service": service.name}
    if host is not None:
        words |= dict(host.vars) | {"host": host.name, "address": host.address}
    return words


def resolved(service: Service, host: Host) -> Service:
    """Return a service as observers want it: every placeholder that does not depend on a release is filled."""
    words = host_words(service, host)
    builds = {
        release: replace(spec, link=fill(spec.link, words), path=fill(spec.path, words))
        for release, spec in service.builds.items()
    }
    return replace(service, builds=builds, backup_dir=fill(service.backup_dir, words))


def release_words(service: Service, host: Host | None, release: str, version: str) -> dict[str, str]:
    """Return the words for one release on one host, `{env}` (the environment's folder) among them."""
    words = host_words(service, host) | {"release": release, "version": version}
    spec = service.builds.get(release) or service.builds.get("*")
    words["env"] = fill(spec.path, words) if spec is not None else ""
    return words
