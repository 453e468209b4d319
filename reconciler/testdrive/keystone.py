"""A real Keystone from the package index: its environments, configuration, first set-up and API process.

Each release is a virtual environment of its own that holds the bare package; its dependencies lie once per era
in a base environment, which the release's environment finds through a path file. (Measured: 2 s and 21 MB for a
release, 12 s and 150 MB for a base, where a complete environment per release and host would cost a base each.)
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from reconciler.errors import ReconcilerError
from reconciler.testdrive.supervisor import Program

REQUIREMENTS = Path(__file__).parent / "requirements"
SERVER = "gunicorn==27.0.1"
PIP = ("-m", "pip", "--quiet", "--disable-pip-version-check")


class KeystoneError(ReconcilerError):
    """An environment of Keystone could not be built."""


@dataclass(frozen=True, slots=True)
class Package:
    """The last patch of a release that was tried, and the era whose dependencies carry it."""

    version: str
    era: str


PACKAGES: Mapping[str, Package] = MappingProxyType(
    {
        "yoga": Package("21.0.1", "yoga"),
        "zed": Package("22.0.2", "yoga"),
        "2023.1": Package("23.0.2", "yoga"),
        "2023.2": Package("24.1.0", "yoga"),
        "2024.1": Package("25.0.0", "yoga"),
        "2024.2": Package("26.1.1", "2026"),
        "2025.1": Package("27.1.0", "2026"),
        "2025.2": Package("28.1.0", "2026"),
        "2026.1": Package("29.1.0", "2026"),
        "2026.2": Package("30.0.0", "2026"),
    }
)


def base_of(bases: Path, era: str) -> Path:
    """Name the folder of an era's base environment."""
    return bases / f"keystone-{era}-era"


def build_base(bases: Path, era: str) -> None:
    """Install an era's dependencies; one that is already complete is left alone."""
    base = base_of(bases, era)
    if (base / ".complete").exists():
        return
    _run(sys.executable, "-m", "venv", "--clear", str(base))
    lines = str(REQUIREMENTS / f"keystone-{era}-era.txt")
    _run(_python(base), *PIP, "install", "--no-deps", "--only-binary", ":all:", "-r", lines)
    (base / ".complete").touch()


def fill_wheels(bases: Path, releases: Iterable[str], wheels: Path) -> None:
    """Download the packages of releases, so that hosts install them without a network."""
    wanted = [PACKAGES[release] for release in releases]
    versions = [f"keystone=={package.version}" for package in wanted]
    for era in {package.era for package in wanted}:
        _write_link_wheel(bases, era, wheels)
    python = _python(base_of(bases, wanted[0].era))
    for line in (SERVER, *versions):  # one by one: pip refuses two versions of one package in a call
        _run(python, *PIP, "download", "--no-deps", "--only-binary", ":all:", "-d", str(wheels), line)


def requirements(release: str) -> tuple[str, ...]:
    """List the pip lines of a release's environment: package, WSGI server, and the link to its era's base."""
    package = PACKAGES[release]
    return (f"keystone=={package.version}", SERVER, f"keystone-{package.era}-era==1")


def pip_args(wheels: Path) -> tuple[str, ...]:
    """Give the options with which `requirements` install from the downloaded wheels alone."""
    return ("--no-index", "--no-deps", "--find-links", str(wheels))


def build_environment(bases: Path, wheels: Path, release: str, folder: Path) -> None:
    """Build the environment of a release, without network."""
    python = _python(base_of(bases, PACKAGES[release].era))
    _run(sys.executable, "-m", "venv", "--clear", "--without-pip", str(folder))
    _run(python, *PIP, "--python", str(folder), "install", *pip_args(wheels), *requirements(release))


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What one host's Keystone is told: where its files lie, its port, and what all hosts share."""

    etc: Path
    port: int
    database_url: str
    keys: Path

    @property
    def config(self) -> Path:
        """Name the file that Keystone reads."""
        return self.etc / "keystone.conf"

    @property
    def server_config(self) -> Path:
        """Name the file that the WSGI server reads."""
        return self.etc / "gunicorn.conf.py"

    @property
    def url(self) -> str:
        """Give the address of the API."""
        return f"http://127.0.0.1:{self.port}/v3"


def configuration(site: Site) -> str:
    """Write keystone.conf.

    Receipts need their key repository too: bootstrap fails without it. Few retries: a wrong database answers at
    once and not after 100 s. The cheapest hash, and bcrypt's 72 bytes: this is a testdrive. Days of inactivity make
    the older releases, too, note the date of a login: the newer ones always do, and a first token of the new
    release would count as a write since the seal.
    """
    return f"""\
[DEFAULT]
use_stderr = true

[database]
connection = {site.database_url}
max_retries = 1
retry_interval = 1

[token]
provider = fernet

[auth]
methods = password,token

[fernet_tokens]
key_repository = {site.keys}/fernet

[fernet_receipts]
key_repository = {site.keys}/fernet

[credential]
key_repository = {site.keys}/credential

[identity]
password_hash_rounds = 4
max_password_length = 72

[security_compliance]
disable_user_account_days_inactive = 90

[cache]
enabled = false
"""


def server_configuration(site: Site) -> str:
    """Write gunicorn.conf.py.

    The application is named here because Keystone parses the process's command line as its own. One synchronous
    worker: SQLite's connections must stay in their thread. The control socket would be one for all hosts.
    """
    return f"""\
wsgi_app = "keystone.server.wsgi:initialize_public_application()"
bind = "127.0.0.1:{site.port}"
graceful_timeout = 5
control_socket_disable = True
"""


def manage(environment: Path, site: Site, *words: str) -> tuple[str, ...]:
    """Give the command line of keystone-manage; `--config-file` must stand before the verb."""
    return (f"{environment}/bin/keystone-manage", "--config-file", str(site.config), *words)


def setup_commands(environment: Path, site: Site, owner: tuple[str, str]) -> tuple[tuple[str, ...], ...]:
    """List the commands of a first set-up, for the user and group `owner`; folders of keys must exist.

    The last one reads the administrator's password from OS_BOOTSTRAP_PASSWORD.
    """
    as_owner = ("--keystone-user", owner[0], "--keystone-group", owner[1])
    urls = [word for name in ("admin", "public", "internal") for word in (f"--bootstrap-{name}-url", site.url)]
    return (
        manage(environment, site, "db_sync"),
        manage(environment, site, "fernet_setup", *as_owner),
        manage(environment, site, "credential_setup", *as_owner),
        manage(environment, site, "bootstrap", "--bootstrap-region-id", "RegionOne", *urls),
    )


def api_program(environment: Path, site: Site) -> Program:
    """Describe the API process; its command line shows `environment` when that is not a link."""
    return Program(
        name="keystone",
        argv=(f"{environment}/bin/gunicorn",),
        environment={
            "OS_KEYSTONE_CONFIG_FILES": str(site.config),
            "GUNICORN_CMD_ARGS": f"--config {site.server_config}",
        },
        directory=site.etc,
    )


def token_request(password: str) -> dict[str, object]:
    """Give the JSON body that asks `POST /v3/auth/tokens` for the administrator's token."""
    domain = {"id": "default"}
    user = {"name": "admin", "domain": domain, "password": password}
    return {
        "auth": {
            "identity": {"methods": ["password"], "password": {"user": user}},
            "scope": {"project": {"name": "admin", "domain": domain}},
        }
    }


def _python(environment: Path) -> str:
    return str(environment / "bin" / "python")


def _run(*argv: str) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = "\n".join(done.stderr.strip().splitlines()[-5:])
        raise KeystoneError(
            f"`{' '.join(argv)}` exited {done.returncode}: {last}",
            reason="EnvironmentFailed",
            hint="a package index must be reachable and python3-venv installed; then start again",
        )


def _write_link_wheel(bases: Path, era: str, wheels: Path) -> None:
    """Pack a wheel whose only content is the path file to an era's base environment.

    A wheel, because then a release's environment is built by nothing but `pip install`.
    """
    name = f"keystone_{era}_era"
    info = f"{name}-1.dist-info"
    site_packages = next(base_of(bases, era).glob("lib/python3*/site-packages"))
    content = {
        f"{name}.pth": f"{site_packages}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: keystone-{era}-era\nVersion: 1\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: testdrive\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},,\n" for path in (*content, f"{info}/RECORD"))
    wheels.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(wheels / f"{name}-1-py3-none-any.whl", "w") as wheel:
        for path, text in (*content.items(), (f"{info}/RECORD", record)):
            wheel.writestr(path, text)
