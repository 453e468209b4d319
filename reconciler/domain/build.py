"""What a release means on one host, with every placeholder filled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from reconciler.domain.desired import ContainerSpec
from reconciler.domain.plan import digest_of


@dataclass(frozen=True, slots=True, kw_only=True)
class FilledFile:
    """A configuration file for one host; `content` still holds `{secret:NAME}` placeholders."""

    path: str
    content: str
    mode: int
    owner: str
    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """A build as it should stand on one host. `versions` are the distributions an environment must show."""

    release: str
    form: str  # environment | packages | rpm | container
    path: str = ""
    link: str = ""
    python: str = ""
    requirements: tuple[str, ...] = ()
    pip_args: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict, hash=False)
    packages: Mapping[str, str] = field(default_factory=dict, hash=False)
    files: tuple[FilledFile, ...] = ()
    containers: tuple[ContainerSpec, ...] = ()

    @property
    def config_digest(self) -> str:
        """Digest the configuration as templates, so that no secret bears on it; empty without files."""
        return _digest(self.files) if self.files else ""


@lru_cache(maxsize=1024)  # hosts share their builds, and every host is asked for it in each pass
def _digest(files: tuple[FilledFile, ...]) -> str:
    return digest_of([[f.path, f.content, f.mode, f.owner, f.group] for f in files])
