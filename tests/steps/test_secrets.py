"""How scripts of steps hand secrets on."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reconciler.domain.outcome import Failed
from reconciler.steps import Evidence, _mariadb, backup
from tests.support.sandbox import Sandbox

SOURCES = sorted(Path(_mariadb.__file__).parent.glob("*.py"))
HERE = re.compile(r"<<-?(\w+)\n(.*?)\n\1\n", re.DOTALL)
SECRET = re.compile(r"\$\{?(login|PASSWORD|CONTENT_|OS_)")
ARGS = {"service": "demo", "database": "main", "engine": "mariadb", "host": "db", "user": "u", "dbname": "demo"}
ARGS |= {"password": {"kind": "env", "origin": "X"}}


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_no_here_document_holds_a_secret_for_shells_make_files_of_them(source: Path) -> None:
    held = [found[2] for found in HERE.finditer(source.read_text()) if SECRET.search(found[2])]
    assert held == []


@pytest.mark.parametrize(
    ("version", "verify"),
    [
        ("mariadb  Ver 15.1 Distrib 10.11.6-MariaDB, for debian-linux-gnu", "ssl-verify-server-cert"),
        ("mysql  Ver 8.0.36 for Linux on x86_64 (MySQL Community Server - GPL)", "ssl-mode=VERIFY_IDENTITY"),
    ],
)
def test_clients_of_both_families_are_told_to_verify(sandbox: Sandbox, version: str, verify: str) -> None:
    says = f'case $* in *--version*) echo "{version}" ;; *) cat <&3 >&2; exit 1 ;; esac'
    for name in ("mariadb", "mariadb-dump"):
        sandbox.tool(name, says)
    tls = {"ca": "/etc/ca.pem", "cert": "/etc/cert.pem", "key": "/etc/key.pem"}
    model = backup.Model.model_validate(ARGS | {"dir": str(sandbox.root / "backups"), "tls": tls})
    failed = backup.judge(model, Evidence(sandbox.run(backup.effect(model), {"password": 'p"w'})))
    assert isinstance(failed, Failed)
    assert failed.text.splitlines() == [
        "exit code 1: [client]",
        'password="p\\"w"',
        "protocol=tcp",
        'ssl-ca="/etc/ca.pem"',
        verify,
        'ssl-cert="/etc/cert.pem"',
        'ssl-key="/etc/key.pem"',
    ]
