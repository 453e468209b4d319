"""Containers as podman shows them, or docker where builds name it or podman is not there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from reconciler.domain.desired import Host, Service
from reconciler.domain.observation import Absent, Container, Known
from reconciler.observers import ParseError, Seen
from reconciler.observers._text import END, HEAD, LAST_S, matched, odd, text_of
from reconciler.ports import Answer, Question

FIELD = "containers"
NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,200}"
IMAGE = r"[!-~]{1,1000}"
ALL = "*"  # the subject that is Absent where there is no podman, and Unknown where it gives no answer

# `podman ps` names the image's id, `podman images` the digest that goes with it.
SCRIPT = (
    HEAD
    + r"""
format='{{.Name}}{{"\t"}}{{.Config.Image}}{{"\t"}}{{.State.Status}}{{"\t"}}{{.State.StartedAt}}'
format=$format'{{"\t"}}{{.RestartCount}}{{"\t"}}{{if .State.Health}}{{.State.Health.Status}}{{end}}'
if [ "${1-}" != docker ] && command -v podman >/dev/null 2>&1; then
  podman ps -a --format json 2>/dev/null || exit 3
  printf '\nimages\n'
  podman images -a --format json 2>/dev/null || exit 3
  echo
elif command -v docker >/dev/null 2>&1; then
  echo docker
  for id in $(docker ps -aq --no-trunc 2>/dev/null || echo none); do
    [ "$id" != none ] || exit 3
    docker inspect --type container -f "$format" "$id" 2>/dev/null || exit 3
  done
else
  echo none
fi
"""
    + END
)


class _Shown(BaseModel):
    """One container of `podman ps`."""

    names: tuple[Annotated[str, Field(pattern=f"^{NAME}$")], ...] = Field(alias="Names", min_length=1)
    image: str = Field(alias="Image", pattern=f"^({IMAGE})?$")
    image_id: str = Field(alias="ImageID", max_length=200)
    state: str = Field(alias="State", pattern="^[A-Za-z]{1,40}$")
    started: int | None = Field(alias="StartedAt", default=None)
    status: str = Field(alias="Status", default="", max_length=200)
    restarts: int | None = Field(alias="Restarts", default=None, ge=0, lt=10**9)


class _Image(BaseModel):
    """One image of `podman images`."""

    id: str = Field(alias="Id", max_length=200)
    digest: str = Field(alias="Digest", default="", pattern="^[a-z0-9+:]{0,200}$")


def questions(_host: Host, services: Iterable[Service]) -> tuple[Question, ...]:
    """Ask for all containers of the engine that builds name: a host without one answers at once."""
    builds = [build for service in services for build in service.builds.values()]
    docker = any(container.engine == "docker" for build in builds for container in build.containers)
    return (Question("containers", SCRIPT, ("docker",) if docker else ()),)


def subjects(_question: Question) -> tuple[str, ...]:
    """Name them all at once: their names are not known before."""
    return (ALL,)


def parse(answer: Answer, at: datetime) -> Seen:
    """Read containers by name, and whether there are others under `*`: always Absent."""
    text = text_of(answer)
    if text == "none\n":
        return {ALL: Absent(at)}
    if text.startswith("docker\n"):
        return _named([_of_docker(line, at) for line in text.splitlines()[1:]], at)
    shown, mark, images = text.partition("\nimages\n")
    if not mark:
        raise ParseError("the images are left out")
    try:
        digests = {image.id: image.digest for image in TypeAdapter(list[_Image]).validate_python(_strict(images))}
        listed = TypeAdapter(list[_Shown]).validate_python(_strict(shown))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"])) or "all of it"
        raise ParseError(f"podman's answer is not understood: {place}: {first['msg']}"[:200]) from None
    except (RecursionError, ValueError) as error:
        raise ParseError(f"podman's answer is not understood: {error}"[:200]) from None
    return _named([(one.names[0], Known(_container(one, digests), at)) for one in listed], at)


def _named(listed: list[tuple[str, Known[Container]]], at: datetime) -> Seen:
    """Put containers under their names; raises ParseError when two have the same."""
    found = dict(listed)
    if len(found) != len(listed):
        raise ParseError("two containers have the same name")
    return {ALL: Absent(at), **found}


def _of_docker(line: str, at: datetime) -> tuple[str, Known[Container]]:
    """Read a line of `docker inspect`; raises ParseError."""
    fields = line.split("\t")
    if len(fields) != 6:
        raise odd(fields)
    name = matched(rf"/?{NAME}", fields[0], "a container's name").removeprefix("/")
    state = matched("[a-z]{1,40}", fields[2], "a state")
    image, tag, digest = _image(matched(IMAGE, fields[1], "an image"))
    started = _moment(fields[3]) if state == "running" else None
    restarts = int(matched("[0-9]{1,9}", fields[4], "a count"))
    return name, Known(Container(image, tag, digest, state, started, _health(fields[5]), restarts), at)


def _health(text: str) -> str:
    """Find what a container's own check says in what its engine shows; empty where it has none."""
    found = re.search(r"\b(starting|healthy|unhealthy)\b", text)
    return found[1] if found else ""


def _moment(text: str) -> datetime | None:
    """Read docker's time, without its fraction; None for the year 1, which stands for never. Raises ParseError."""
    whole = matched(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z", text, "a time")[:19]
    try:
        found = datetime.fromisoformat(whole).replace(tzinfo=UTC)
    except ValueError:
        raise ParseError(f"a time is odd: {text[:80]!r}") from None
    return found if found.year > 1 else None


def _image(text: str) -> tuple[str, str, str]:
    """Divide an image into name, tag and digest; what is not there is empty."""
    name, _, digest = text.partition("@")
    head, colon, tag = name.rpartition(":")
    return (head, tag, digest) if colon and "/" not in tag else (name, "", digest)


def _container(one: _Shown, digests: dict[str, str]) -> Container:
    image, tag, digest = _image(one.image)
    running = one.state.lower() == "running" and one.started is not None and 0 < one.started < LAST_S
    return Container(
        image=image,
        tag=tag,
        digest=digest or digests.get(one.image_id, ""),
        state=one.state.lower(),
        started_at=datetime.fromtimestamp(one.started, UTC) if running and one.started is not None else None,
        health=_health(one.status),
        restarts=one.restarts,
    )


def _strict(text: str) -> object:
    """Load JSON without duplicate keys and without numbers that are none; raises ValueError or RecursionError."""
    loaded: object = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse)
    return loaded


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is no number")
