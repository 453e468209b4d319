"""Backup and restore share their target and their scripts: one for SQLite, one for MariaDB and MySQL.

A dump lies in DIR/RUN/ as SERVICE.DATABASE.sqlite or .sql.gz beside its .sha256; SERVICE.DATABASE.absent says that
there was no database. The dump gets its final name last, so what bears it is complete; it is never written twice.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Literal, Self

from pydantic import Field, model_validator

from reconciler.domain.dburl import TLS_FILE
from reconciler.domain.desired import SecretRef
from reconciler.domain.effect import HostScript
from reconciler.domain.outcome import Done, Exited, Failed, Outcome
from reconciler.domain.reasons import Reason
from reconciler.steps import Args, Evidence
from reconciler.steps._judge import by_exit
from reconciler.steps._mariadb import BODY as MARIADB_BODY
from reconciler.steps._mariadb import CLIENT_OPTIONS, DUMP_OPTIONS
from reconciler.steps._shell import flag
from reconciler.steps._show import typed
from reconciler.steps._sqlite import BODY as SQLITE_BODY

UNREADABLE = 65  # EX_DATAERR of sysexits.h
NO_SPACE = 73  # EX_CANTCREAT
WORD = r"^[A-Za-z0-9_@+-][A-Za-z0-9._@+-]*$"
DIGEST = r"^([0-9a-f]{64})?$"
_FILE = r"[A-Za-z0-9_@+-][A-Za-z0-9._@+-]*"
_VALUES = {"path": rf"/(?:[^\x00-\x1f]*/)?{_FILE}/{_FILE}", "manifest": "[0-9a-f]{64}", "bytes": "[0-9]{1,18}"}
"""The form of what a dump's script leaves for others."""
RUN = r"^([A-Za-z0-9_@+-][A-Za-z0-9._@+-]*)?$"


class TlsFiles(Args):
    """Files on the host, as in `domain.dburl.Tls`."""

    ca: str = Field(pattern=f"^{TLS_FILE}$", min_length=1)
    cert: str = Field(default="", pattern=f"^{TLS_FILE}$")
    key: str = Field(default="", pattern=f"^{TLS_FILE}$")


class Target(Args):
    """A database as its host reaches it, and the folder of its dumps. MySQL counts as MariaDB."""

    service: str = Field(pattern=WORD)
    database: str = Field(pattern=WORD)
    engine: Literal["sqlite", "mariadb"]
    dir: str = Field(pattern="^/")
    path: str = ""
    host: str = Field(default="", pattern=r"^([A-Za-z0-9:\[][A-Za-z0-9.:\[\]-]*)?$")
    port: int = Field(default=3306, ge=1, le=65535)
    user: str = ""
    dbname: str = Field(default="", pattern=r"^([A-Za-z0-9_$][A-Za-z0-9_$-]*)?$")
    password: SecretRef | None = None
    tls: TlsFiles | None = None
    python: str = "/usr/bin/python3"

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.engine == "sqlite" and not self.path.startswith("/"):
            raise ValueError("path is not absolute")
        if self.engine == "mariadb" and not self.dbname:
            raise ValueError("dbname is empty")
        return self


def script(verb: str, target: Target, run: str, *, keep_present: bool) -> HostScript:
    """Render what both kinds share; `run` is empty for the current one."""
    place = (verb, f"{target.service}.{target.database}", target.dir, run, flag(keep_present))
    if target.engine == "sqlite":
        return HostScript(body=SQLITE_BODY, args=(*place, target.path, target.python))
    login = (target.host, str(target.port), target.user, target.dbname)
    tls = target.tls
    env = {"TLS_CA": tls.ca, "TLS_CERT": tls.cert, "TLS_KEY": tls.key} if tls else {}
    if target.password is None:
        return HostScript(body=MARIADB_BODY, args=(*place, *login), env=env)
    secrets, refs = {"PASSWORD": "{secret:password}"}, {"password": target.password}
    return HostScript(body=MARIADB_BODY, args=(*place, *login), env=env, secrets=secrets, secret_refs=refs)


def known_by(manifest: str, rendered: HostScript) -> HostScript:
    """Let a script read only the dump whose manifest has this digest; empty where the journal knows none."""
    return replace(rendered, env={**rendered.env, "MANIFEST": manifest}) if manifest else rendered


def judge(evidence: Evidence) -> Outcome:
    """Follow the script; a dump that does not hold what its checksum says, or has no space, has a reason of its own."""
    match evidence.exited:
        case Exited(code, output, _) if code == UNREADABLE:
            return Failed(Reason.BACKUP_UNREADABLE, output.strip(), "Check disk and folder of the dump.")
        case Exited(code, output, _) if code == NO_SPACE:
            return Failed(Reason.NO_SPACE, output.strip())
    outcome = by_exit(evidence)
    return (_flaw(outcome) or outcome) if isinstance(outcome, Done) else outcome


def _flaw(done: Done) -> Failed | None:
    """Refuse what no script of ours leaves: later steps are told these values, and must be able to take them."""
    for name, form in _VALUES.items():
        if name in done.values and not re.fullmatch(form, done.values[name]):
            text = f"the host left an odd {name}: {done.values[name][:80]!r}"
            return Failed(Reason.STEP_FAILED, text, "Find out who answers on this host in our place.")
    return None


def dumping(target: Target, suffix: str = "", *, options: tuple[str, ...] = ()) -> str:
    """Show how a dump is written."""
    place = _place(target, "RUN", suffix)
    if target.engine == "sqlite":
        return typed(("sqlite3", target.path, f".backup {place}"))
    return f"{typed(('mariadb-dump', *DUMP_OPTIONS, *options, *_login(target)))} | gzip > {place}"


def loading(target: Target, run: str) -> str:
    """Show how a run's dump is loaded; `run` is empty for the current one."""
    place = _place(target, run or "RUN")
    if target.engine == "sqlite":
        return typed(("cp", place, target.path))
    return f"gzip -dc {place} | {typed(('mariadb', *_login(target)))}"


def reading(target: Target, run: str) -> tuple[str, ...]:
    """Show how a run's dump is read; `run` is empty for the current one."""
    place = _place(target, run or "RUN")
    look = ("sqlite3", place, "PRAGMA integrity_check") if target.engine == "sqlite" else ("gzip", "-t", place)
    return typed(("sha256sum", place)), typed(look)


def _place(target: Target, run: str, suffix: str = "") -> str:
    ending = "sqlite" if target.engine == "sqlite" else "sql.gz"
    return f"{target.dir}/{run}/{target.service}.{target.database}{suffix}.{ending}"


def _login(target: Target) -> tuple[str, ...]:
    password = () if target.password is None else ("--password={secret:password}",)
    place = (f"--host={target.host}", f"--port={target.port}", f"--user={target.user}")
    return *place, *password, *_tls(target), *CLIENT_OPTIONS, target.dbname


def _tls(target: Target) -> tuple[str, ...]:
    if target.tls is None:
        return ()
    own = (f"--ssl-cert={target.tls.cert}", f"--ssl-key={target.tls.key}") if target.tls.cert else ()
    return f"--ssl-ca={target.tls.ca}", "--ssl-verify-server-cert", *own
