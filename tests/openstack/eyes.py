"""Eyes of our own: what a database holds, what runs on a host, whether it serves; nothing of the product looks here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import httpx
import pymysql
from pymysql.connections import Connection

from reconciler.testdrive import mariadb
from reconciler.testdrive.site import Host

Rows = Mapping[str, tuple[str, list[tuple[object, ...]]]]
"""Table to how it is made and its rows."""


async def token(client: httpx.AsyncClient, host: Host, password: str) -> bool:
    user = {"name": "admin", "domain": {"id": "default"}, "password": password}
    body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}}}
    try:
        reply = await client.post(f"http://127.0.0.1:{host.api_port}/v3/auth/tokens", json=body)
    except httpx.HTTPError:
        return False
    return reply.status_code == 201 and bool(reply.headers.get("X-Subject-Token"))


def running(host: Host) -> str:
    """Name the releases whose API processes run on a host, by their command lines."""
    folder = str(host.link.parent)
    found: set[str] = set()
    for process in Path("/proc").iterdir():
        try:
            words = (process / "cmdline").read_bytes().decode().split("\0")
        except (OSError, UnicodeDecodeError):
            continue
        if any(word.endswith("/bin/gunicorn") and word.startswith(folder) for word in words):
            found |= {word.removeprefix(f"{folder}/").split("/")[0] for word in words if word.startswith(folder)}
    return " and ".join(sorted(found - {"current"}))


def connect(server: mariadb.Server, database: str | None) -> Connection:
    """Connect as the server's administrator."""
    return pymysql.connect(
        host="127.0.0.1",
        port=server.port,
        user=mariadb.ADMIN,
        password=server.password,
        database=database,
        autocommit=True,
        charset="utf8mb4",
    )


def heads(server: mariadb.Server, database: str) -> frozenset[str]:
    """Read alembic's heads; none when there is no such table."""
    with connect(server, database) as connection, connection.cursor() as cursor:
        cursor.execute("SHOW TABLES LIKE 'alembic_version'")
        if not cursor.fetchall():
            return frozenset()
        cursor.execute("SELECT version_num FROM alembic_version")
        return frozenset(row[0] for row in cursor.fetchall())


def tables(cursor: pymysql.cursors.Cursor) -> Rows:
    """Read every table of the database: how it is made, and its rows in an order of their own."""
    cursor.execute("SHOW TABLES")
    found = {}
    for name in sorted(row[0] for row in cursor.fetchall()):
        cursor.execute(f"SHOW CREATE TABLE `{name}`")
        made = re.sub(r" AUTO_INCREMENT=\d+", "", cursor.fetchall()[0][1])
        cursor.execute(f"SELECT * FROM `{name}`")  # noqa: S608 - the name came from the server
        found[name] = (made, sorted(cursor.fetchall(), key=repr))
    return found
