"""Where a database is, read from its URL."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

from reconciler.domain.desired import Database

_MARIADB = frozenset({"mysql", "mysql+pymysql", "mariadb", "mariadb+pymysql"})
_OPTIONS = frozenset({"charset", "ssl_ca", "unix_socket"})
"""Other options of the driver could read files or run statements, and the URL comes from git."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DbEndpoint:
    """A database server and a database on it, or a file.

    sqlite: `path`, absolute. mariadb (MySQL too): `host` and `port`, or `socket`; `user`, `dbname`, `ca_file`.
    """

    engine: str  # sqlite | mariadb
    path: str = ""
    host: str = ""
    port: int = 3306
    socket: str = ""
    user: str = ""
    dbname: str = ""
    ca_file: str = ""

    def __str__(self) -> str:
        """Show the place as an operator would name it."""
        if self.engine == "sqlite":
            return self.path
        return f"{self.dbname} at {self.socket or f'{self.host}:{self.port}'}"


def parse_url(url: str) -> DbEndpoint:
    """Read an SQLAlchemy URL without password; raises ValueError that says what is wrong."""
    if split_password(url)[1] is not None:
        raise ValueError("the URL holds a password; name it in `password` instead")
    parts = urlsplit(url)
    if parts.scheme in {"sqlite", "sqlite+pysqlite"}:
        return _file(url)
    if parts.scheme not in _MARIADB:
        raise ValueError(f"{parts.scheme or url!r} is no database that is understood; use mysql+pymysql or sqlite")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if unknown := sorted(options.keys() - _OPTIONS):
        raise ValueError(f"the option {unknown[0]} is not allowed; allowed are {', '.join(sorted(_OPTIONS))}")
    dbname = unquote(parts.path.removeprefix("/"))
    if not dbname or not (parts.hostname or options.get("unix_socket")):
        raise ValueError("the URL names no host or no database, as in mysql+pymysql://user@host/database")
    return DbEndpoint(
        engine="mariadb",
        host=parts.hostname or "",
        port=parts.port or 3306,
        socket=options.get("unix_socket", ""),
        user=unquote(parts.username or ""),
        dbname=dbname,
        ca_file=options.get("ssl_ca", ""),
    )


def host_endpoint(database: Database) -> DbEndpoint:
    """Say where hosts find a database: at `host_url`, or where the daemon finds it; raises ValueError."""
    return parse_url(database.host_url or database.url)


def split_password(url: str) -> tuple[str, str | None]:
    """Take the password out of a URL that a person typed."""
    parts = urlsplit(url)
    if parts.password is None:
        return url, None
    user, _, place = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user.partition(':')[0]}@{place}")), unquote(parts.password)


def _file(url: str) -> DbEndpoint:
    path = url.partition("://")[2].removeprefix("/")
    if not path.startswith("/") or "?" in path:
        raise ValueError("an SQLite database is a file with an absolute path and no options, as in sqlite:////srv/db")
    return DbEndpoint(engine="sqlite", path=path)
