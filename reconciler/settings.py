"""The daemon's own configuration: a TOML file and environment variables, read once, passed down as values."""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import pydantic_settings
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from reconciler.domain.reasons import TEXTS, Reason
from reconciler.errors import SettingsError

DEFAULT_PATH = Path("/etc/reconciler/reconciler.toml")
CONFIG_VARIABLE = "RECONCILER_CONFIG"
CREDENTIALS = Path("/run/credentials/reconciler.service")
"""Where systemd shows its credentials to the daemon, and to root, while the unit of deploy/systemd runs."""

PREFIX = "RECONCILER_"
DELIMITER = "__"


def _absolute(path: Path) -> Path:
    if not path.is_absolute():
        raise ValueError("the path must be absolute")
    if not str(path).isprintable():
        raise ValueError("the path must not hold control characters")
    return path


def _source_url(url: str) -> str:
    """Accept the transports that prove who is at the other end, and no password in clear text."""
    if re.match(r"https?://[^/@]*:[^/@]*@", url):
        raise ValueError("no password in the URL: it would show in logs; use `ssh_key`")
    if re.match(r"(https://|ssh://|file:///|/|[\w.-]+@[\w.-]+:)", url) and url.isprintable():
        return url
    raise ValueError("use https://, ssh://, user@host:path, file:/// or an absolute path, without control characters")


def _address(text: str) -> str:
    found = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[\w.-]+):([0-9]{1,5})", text)
    if not found or int(found[2]) > 65535:
        raise ValueError("use ADDRESS:PORT, for example 127.0.0.1:9105 or [::1]:9105")
    return text


def _credential(value: object) -> object:
    """Let `credential:NAME` stand for the file in which systemd shows it, to this process, else to the daemon."""
    if not isinstance(value, str) or not value.startswith("credential:"):
        return value
    name = value.removeprefix("credential:")
    if not name or "/" in name or name in {".", ".."}:
        raise ValueError("use credential:NAME, with the name that LoadCredential= gives")
    return Path(os.environ.get("CREDENTIALS_DIRECTORY") or CREDENTIALS) / name


AbsolutePath = Annotated[Path, AfterValidator(_absolute)]
KeyPath = Annotated[AbsolutePath, BeforeValidator(_credential)]


class Section(BaseModel):
    """A table of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class SourceSettings(Section):
    """The desired-state repository."""

    url: Annotated[str, AfterValidator(_source_url)] = Field(description="Where it is cloned from.")
    branch: str = Field("main", min_length=1, description="The branch that is followed.")
    folder: str = Field("", description="The folder inside the repository that holds `fleet.yaml`; empty for its root.")
    mirror: AbsolutePath | None = Field(None, description="The bare clone; none means `source.git` in `state_dir`.")
    poll_s: float = Field(120, ge=1, description="Seconds between two fetches.")
    jitter_s: float = Field(60, ge=0, description="At most this many seconds, drawn anew each time, are added.")
    ssh_key: KeyPath | None = Field(None, description="The private key for a repository behind SSH.")
    known_hosts: AbsolutePath | None = Field(
        None, description="The host keys of the repository's server; none means `known_hosts` in `state_dir`."
    )
    signatures: Literal["none", "head", "strict"] = Field(
        "none",
        description="Which commits must be signed by an allowed signer: none, the one that is accepted, or every one "
        "since the last accepted.",
    )
    allowed_signers: AbsolutePath | None = Field(
        None, description="Who may sign until the repository says so itself, in an `allowed_signers` of its own."
    )

    @model_validator(mode="after")
    def _somebody_signs(self) -> Self:
        if self.signatures != "none" and self.allowed_signers is None:
            raise ValueError(
                f'signatures = "{self.signatures}" needs `allowed_signers`, a file that names who may sign'
            )
        return self


class SshSettings(Section):
    """How hosts are reached."""

    keys: tuple[KeyPath, ...] = Field((), description="Private keys, tried in this order.")
    known_hosts: AbsolutePath | None = Field(
        None, description="The pinned host keys, written by `enrol`; none means `known_hosts` in `state_dir`."
    )
    connect_timeout_s: float = Field(15, gt=0, description="Seconds until a host that does not answer is unreachable.")
    per_zone: int = Field(20, ge=1, description="How many hosts of one zone are worked on at once.")


class SweepSettings(Section):
    """How often the whole fleet is looked at."""

    interval_s: float = Field(300, ge=1, description="Seconds between two sweeps.")


class StoreSettings(Section):
    """The store of the journal."""

    url: str = Field("", description="An SQLAlchemy URL of a SQLite file; empty means `journal.sqlite` in `state_dir`.")


class JournalSettings(Section):
    """What stays in the journal as it was written; older runs are sealed, and what is still needed of them is kept."""

    keep_runs: int = Field(100, ge=1, description="So many of the newest runs stay.")
    keep_days: int = Field(30, ge=0, description="Runs that ended in the last so many days stay.")
    seal_runs: int = Field(20, ge=1, description="So many runs that need not stay are sealed at once, in one file.")
    archive: bool = Field(True, description="Whether what is sealed goes into a file beside the store, or is dropped.")


class WebSettings(Section):
    """The process that serves `/metrics`, `/livez` and `/readyz`; it asks nobody who they are."""

    listen: Annotated[str, AfterValidator(_address)] = Field("127.0.0.1:9105", description="Address and port.")
    socket: AbsolutePath | None = Field(
        None, description="Where a `reconciler web` of its own asks; then `listen` is not used. None: a child serves."
    )

    @property
    def address(self) -> tuple[str, int]:
        """Address without brackets, and port."""
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)


class LogSettings(Section):
    """The log, on stderr."""

    format: Literal["json", "console"] = Field("console", description="JSON lines, or text for people.")
    level: Literal["debug", "info", "warning", "error"] = Field("info", description="The least urgent that is shown.")


class CommandSettings(Section):
    """What commands from the desired state may run."""

    allowed: tuple[str, ...] | None = Field(
        None, description="The programs (first words of commands) that may run on hosts; none means any."
    )


class Settings(BaseSettings):
    """Everything that the daemon's machine decides; the fleet itself is described in git."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix=PREFIX, env_nested_delimiter=DELIMITER, hide_input_in_errors=True
    )

    state_dir: AbsolutePath = Field(Path("/var/lib/reconciler"), description="The daemon's own folder.")
    source: SourceSettings
    ssh: SshSettings = SshSettings()
    sweep: SweepSettings = SweepSettings()
    store: StoreSettings = StoreSettings()
    journal: JournalSettings = JournalSettings()
    web: WebSettings = WebSettings()
    log: LogSettings = LogSettings()
    commands: CommandSettings = CommandSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let environment variables win over what the file says, key by key."""
        del settings_cls, dotenv_settings, file_secret_settings
        return env_settings, init_settings

    @property
    def store_url(self) -> str:
        """The store of the journal."""
        return self.store.url or f"sqlite:///{self.state_dir / 'journal.sqlite'}"

    @property
    def mirror(self) -> Path:
        """The bare clone of the desired-state repository."""
        return self.source.mirror or self.state_dir / "source.git"

    @property
    def source_known_hosts(self) -> Path:
        """The host keys of the repository's server."""
        return self.source.known_hosts or self.state_dir / "known_hosts"

    @property
    def known_hosts(self) -> Path:
        """The pinned host keys of the fleet."""
        return self.ssh.known_hosts or self.state_dir / "known_hosts"


def read_settings(path: Path | None = None) -> Settings:
    """Read `path`, else $RECONCILER_CONFIG, else DEFAULT_PATH if it exists, under the environment's overrides.

    Raises SettingsError, which lists every problem with the file or variable and the key.
    """
    chosen = path or (Path(os.environ[CONFIG_VARIABLE]) if os.environ.get(CONFIG_VARIABLE) else None)
    place = chosen or DEFAULT_PATH
    data = _read_file(place) if chosen or place.exists() else {}
    # Names with an underscore before them are pydantic's own arguments: where else to read from, and how.
    problems = [*_strange_variables(), *(f"{place}: {name}: there is no such key" for name in data if name[:1] == "_")]
    try:
        settings = Settings(**{name: value for name, value in data.items() if name[:1] != "_"})
    except ValidationError as error:
        problems += [_problem(place, detail["loc"], detail["type"], detail["msg"]) for detail in error.errors()]
    except pydantic_settings.SettingsError as error:
        problems.append(f"environment: {error}; lists are written as JSON")
    if problems:
        raise _error("\n".join(sorted(problems)))
    return settings


def _read_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise _error(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _error(f"{path}: not valid TOML: {error}") from error
    except (RecursionError, ValueError):
        raise _error(
            f"{path}: a number in it is too long, or its lists and tables lie too deep in each other"
        ) from None


def _strange_variables() -> Iterator[str]:
    """Find misspelt sections; a name without the delimiter may be somebody else's, as RECONCILER_PORT in Kubernetes."""
    for name in os.environ:
        section, delimiter, _ = name.removeprefix(PREFIX).partition(DELIMITER)
        if name.startswith(PREFIX) and delimiter and section.lower() not in Settings.model_fields:
            yield f"{name}: there is no section {section.lower()}{_near(section.lower(), Settings)}"


def _problem(file: Path, where: tuple[int | str, ...], kind: str, text: str) -> str:
    key = ".".join(str(part) for part in where)
    variable = PREFIX + DELIMITER.join(str(part) for part in where).upper()
    place = variable if variable in os.environ else f"{file}: {key}"
    match kind:
        case "missing":
            return f"{place}: is missing"
        case "extra_forbidden":
            return f"{place}: there is no such key{_near(str(where[-1]), _model_at(where[:-1]))}"
        case _:
            return f"{place}: {text.removeprefix('Value error, ')}"


def _model_at(where: tuple[int | str, ...]) -> type[BaseModel]:
    return sections()[str(where[0])] if where else Settings


def sections() -> Mapping[str, type[BaseModel]]:
    """Return the tables of the file by name."""
    found = {name: field.annotation for name, field in Settings.model_fields.items()}
    return {name: kind for name, kind in found.items() if isinstance(kind, type) and issubclass(kind, BaseModel)}


def _near(name: str, model: type[BaseModel]) -> str:
    near = difflib.get_close_matches(name, model.model_fields, 1)
    return f"; did you mean `{near[0]}`?" if near else ""


def _error(text: str) -> SettingsError:
    return SettingsError(text, reason=Reason.SETTINGS_INVALID, hint=TEXTS[Reason.SETTINGS_INVALID][1])
