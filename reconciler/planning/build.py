"""Says which build a release means on a host, and how what was seen differs from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from reconciler.domain.build import Build, FilledFile
from reconciler.domain.desired import BuildSpec, ConfigFile, ContainerSpec, Host, Service
from reconciler.domain.observation import HostReport, Known
from reconciler.domain.placeholder import fill, placeholders
from reconciler.planning.words import host_words, release_words
from reconciler.steps import verify_host

_OF_RELEASE = frozenset({"release", "version"})


def build_for(service: Service, host: Host, release: str, version: str) -> Build | None:
    """Return the filled build, or None when the desired state does not say how the release is put on hosts."""
    spec = service.builds.get(release) or service.builds.get("*")
    if spec is None:
        return None
    files = service.config.get(release) or service.config.get("*") or ()
    wanted = _words_used((spec,), files)
    words = {"release": release, "version": version} if _OF_RELEASE.issuperset(wanted) else None
    words = words or release_words(service, host, release, version)
    used = tuple((word, words[word]) for word in wanted if word in words)
    return _filled(spec, files, release, used)


@lru_cache(maxsize=256)
def _words_used(specs: tuple[BuildSpec, ...], files: tuple[ConfigFile, ...]) -> tuple[str, ...]:
    """Return the words on which builds depend: most hosts differ in none of them."""
    texts = [text for spec in specs for text in (spec.path, spec.link, spec.python, *spec.requirements)]
    texts += [text for spec in specs for text in (*spec.pip_args, *spec.packages.values())]
    texts += [text for file in files for text in (file.path, file.template)]
    texts += [text for spec in specs for each in spec.containers for text in _texts(each)]
    return tuple(sorted({word for text in texts for word in placeholders(text)}))


@lru_cache(maxsize=1024)  # thousands of hosts share a handful of builds
def _filled(spec: BuildSpec, files: tuple[ConfigFile, ...], release: str, used: tuple[tuple[str, str], ...]) -> Build:
    words = dict(used)
    return Build(
        release=release,
        form=spec.form,
        path=fill(spec.path, words),
        link=fill(spec.link, words),
        python=fill(spec.python, words),
        requirements=tuple(fill(line, words) for line in spec.requirements),
        pip_args=tuple(fill(line, words) for line in spec.pip_args),
        versions=_pinned(fill(line, words) for line in spec.requirements),
        packages={name: fill(text, words) for name, text in spec.packages.items()},
        files=tuple(_file(file, words) for file in files),
        containers=tuple(_container(each, words) for each in spec.containers),
    )


def _texts(container: ContainerSpec) -> tuple[str, ...]:
    env = (*container.env.values(), *container.command, container.user, container.kolla)
    return (container.name, container.image, *container.mounts, *env)


def _container(container: ContainerSpec, words: Mapping[str, str]) -> ContainerSpec:
    return replace(
        container,
        name=fill(container.name, words),
        image=fill(container.image, words),
        user=fill(container.user, words),
        kolla=fill(container.kolla, words),
        mounts=tuple(fill(each, words) for each in container.mounts),
        env={name: fill(text, words) for name, text in container.env.items()},
        command=tuple(fill(each, words) for each in container.command),
    )


def _file(file: ConfigFile, words: Mapping[str, str]) -> FilledFile:
    return FilledFile(
        path=fill(file.path, words),
        content=fill(file.template, words),
        mode=file.mode,
        owner=file.owner,
        group=file.group,
    )


def _pinned(requirements: Iterable[str]) -> dict[str, str]:
    """Read the `name==version` lines; others cannot be compared and are left to the environment's own marker."""
    pairs = (line.split("==", 1) for line in requirements if "==" in line and not line.startswith("-"))
    return {name.strip().lower(): version.split(";")[0].strip() for name, version in pairs}


def expectation(build: Build, service: Service, host: str) -> verify_host.Model:
    """Say what a host must show that runs a build, and nothing older."""
    return _expectation(build, service.name, service.units).model_copy(update={"host": host})


@lru_cache(maxsize=1024)
def _expectation(build: Build, service: str, units: tuple[str, ...]) -> verify_host.Model:
    return verify_host.Model.model_validate(
        {
            "host": "",
            "service": service,
            "form": build.form,
            "link": build.link,
            "path": build.path,
            "versions": build.versions,
            "packages": build.packages,
            "config_digest": build.config_digest,
            "containers": {each.name: each.image for each in build.containers},
            "engine": next((each.engine for each in build.containers), ""),
            "units": () if build.form == "container" else units,
        }
    )


@lru_cache(maxsize=1024)
def _code(build: Build) -> verify_host.Model:
    return _expectation(replace(build, files=()), "", ())


def differences(build: Build, service: Service, host: str, report: HostReport) -> tuple[str, ...]:
    """List in sentences how a host differs from a build; nothing when it runs exactly that."""
    return tuple(verify_host.compare(expectation(build, service, host), report).wrong)


def installed_release(builds: Mapping[str, Build], report: HostReport) -> str:
    """Return the first release whose build is installed, judged by code alone; empty when none matches."""
    for release, build in builds.items():
        if not _elsewhere(build, report):
            found = verify_host.compare(_code(build), report)
            if not found.wrong and not found.unknown:
                return release
    return ""


@dataclass(slots=True)
class Builds:
    """The builds of one service; `versions` are the releases with their package versions, in the order of trying.

    Hosts on which they are the same, as far as words go, share them: of thousands of hosts most do.
    """

    service: Service
    versions: Mapping[str, str]
    made: dict[tuple[str | None, ...], Mapping[str, Build]] = field(default_factory=dict)
    words: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        """List the words on which the builds depend."""
        files = tuple(file for each in self.service.config.values() for file in each)
        self.words = _words_used(tuple(self.service.builds.values()), files)

    def on(self, host: Host) -> Mapping[str, Build]:
        """Return the build of each release that the desired state knows how to put on a host."""
        words = host_words(self.service, host)
        key = tuple(words.get(word) for word in self.words)
        if key not in self.made:
            found = {each: build_for(self.service, host, each, version) for each, version in self.versions.items()}
            self.made[key] = {release: build for release, build in found.items() if build is not None}
        return self.made[key]


def _elsewhere(build: Build, report: HostReport) -> bool:
    """Tell at a glance that an environment is certainly not the one that is linked."""
    match report.environments.get(build.link):
        case Known(value=environment) if build.form == "environment":
            return environment.path != build.path
    return False
