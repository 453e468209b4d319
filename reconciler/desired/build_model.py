"""The form of builds: what a release means on a host."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, Field, model_validator

from reconciler.desired import words as w
from reconciler.desired.model import Model


def exactly_one(model: BaseModel, *names: str) -> None:
    """Refuse a mapping in which not exactly one of `names` is given."""
    if len(model.model_fields_set & set(names)) != 1:
        raise ValueError(f"must have exactly one of {', '.join(names)}")


class EnvironmentModel(Model):
    """A Python environment per release, prepared ahead and switched by a link."""

    path: w.Path = Field(description="Where the environment is made; holds `{release}` or `{version}`.")
    link: w.Path = Field(description="A symbolic link that is switched to the environment in use.")
    python: w.Path = Field(default="/usr/bin/python3", description="The interpreter that makes it.")
    requirements: tuple[w.Requirement, ...] = Field(min_length=1, description="What pip installs, a line each.")
    pip_args: tuple[w.Given, ...] = Field(default=(), description="More arguments for `pip install`.")


class ContainerModel(Model):
    """A container of a build; its texts hold placeholders."""

    image: w.Image = Field(description="The image with its tag or digest.")
    engine: Literal["podman", "docker"] = Field(default="podman", description="What runs it.")
    network: w.Line = Field(default="", description="Its network, like `host`; default: the engine's.")
    pid: Literal["", "host"] = Field(default="", description="`host`: the processes of the host are its own.")
    ipc: Literal["", "host"] = Field(default="", description="`host`: it shares memory with the host.")
    restart: Literal["", "no", "always", "unless-stopped", "on-failure"] = Field(
        default="", description="When the engine starts it again; default: the engine's."
    )
    kolla: w.OptionalPath = Field(
        default="", description="The host's folder with `config.json`, where the image is one of kolla."
    )
    privileged: w.Flag = Field(default=False, description="Whether it may do all that the host may.")
    user: w.Line = Field(default="", description="The user inside; default: the image's.")
    mounts: tuple[w.Mount, ...] = Field(default=(), description="HOST:CONTAINER, and `:ro` or `:shared` after it.")
    env: dict[w.EnvName, w.Line] = Field(default={}, description="Its environment, never secrets.")
    command: tuple[w.Given, ...] = Field(default=(), description="What runs in it; default: the image's.")


class BuildModel(Model):
    """What a release means on a host; exactly one of the keys."""

    environment: EnvironmentModel | None = Field(default=None, description="A Python environment.")
    packages: dict[w.DebName, w.DebVersion] | None = Field(
        default=None, min_length=1, description="Deb packages and their exact versions."
    )
    rpm: dict[w.RpmName, w.RpmVersion] | None = Field(
        default=None, min_length=1, description="Rpm packages and their exact versions."
    )
    containers: dict[w.Name, ContainerModel] | None = Field(
        default=None,
        min_length=1,
        description="Containers by name, in the order of starting; they take the place of units.",
    )

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        exactly_one(self, "environment", "packages", "rpm", "containers")
        return self


class ConfigFileModel(Model):
    """A configuration file for every host of the service."""

    path: w.Path = Field(description="Where it is put on hosts.")
    source: w.Source = Field(description="The template below `files/`.")
    mode: w.Mode = Field(default="0640", description="Its permissions in octal.")
    owner: w.UserName = Field(default="", description="Its owner; default: who puts it there.")
    group: w.UserName = Field(default="", description="Its group; default: the owner's.")
