"""The words that placeholders are filled with, on a host and for a release."""

from __future__ import annotations

from dataclasses import replace

from reconciler.domain.desired import Host, Service
from reconciler.domain.placeholder import fill


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
