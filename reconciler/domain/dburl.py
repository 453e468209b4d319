"""Where a database is, read from its URL."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

from reconciler.domain.desired import Database

_MARIADB = frozenset({"mysql", "mysql+pymysql", "mariadb", "mariadb+pymysql"})
_TLS = ("ssl_ca", "ssl_cert", "ssl_key")
_OPTIONS = frozenset({"charset", "unix_socket", *_TLS})
"""Other options of the driver could read files or run statements, and the URL comes from git."""

TLS_FILE = r"(/[A-Za-z0-9._@+/-]*)?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """Paths of PEM files on the machine that connects: who signs the server, and what the client shows, if anything.

    The server must speak TLS, its certificate be signed by `ca` and bear the name of the URL; nothing turns that off.
    """

    ca: str
    cert: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DbEndpoint:
    """A database server and a database on it, or a file.

    sqlite: `path`, absolute. mariadb (MySQL too): `host` and `port`, or `socket`; `user`, `dbname`, `tls` if asked for.
    """

    engine: str  # sqlite | mariadb
    path: str = ""
    host: str = ""
    port: int = 3306
    socket: str = ""
    user: str = ""
    dbname: str = ""
    tls: Tls | None = None

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
        tls=_tls(options),
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


def _tls(options: Mapping[str, str]) -> Tls | None:
    asked = {name: options[name] for name in _TLS if name in options}
    if not asked:
        return None
    for name, path in asked.items():
        if not path or not re.fullmatch(TLS_FILE, path):
            raise ValueError(f"{name} must be an absolute path of letters, digits and ._@+-")
    if "ssl_ca" not in asked:
        raise ValueError("a certificate is shown only to a server that is verified; name its authority in ssl_ca")
    if len(asked) == 2:
        raise ValueError("ssl_cert and ssl_key go together")
    if "unix_socket" in options:
        raise ValueError("a socket has no TLS; leave out unix_socket or ssl_ca")
    return Tls(ca=asked["ssl_ca"], cert=asked.get("ssl_cert", ""), key=asked.get("ssl_key", ""))


def _file(url: str) -> DbEndpoint:
    path = url.partition("://")[2].removeprefix("/")
    if not path.startswith("/") or "?" in path:
        raise ValueError("an SQLite database is a file with an absolute path and no options, as in sqlite:////srv/db")
    return DbEndpoint(engine="sqlite", path=path)
