"""A whole site in one folder: sshd, git repository, database, settings; nothing of it needs root."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from tests.support.gitrepo import GitRepo
from tests.support.sshd import Sshd

YOGA = {"keystone": 109, "keystone_contract": 79, "keystone_data_migrate": 79, "keystone_expand": 79}

FLEET = """\
fleet: {{name: site}}
hosts:
  ks1: {{address: 127.0.0.1, port: {port}, login: {{user: {user}}}, state_dir: {state}, roles: [keystone]}}
services:
  keystone:
    series: openstack
    release: {release}
    procedure: fast-forward
    policy: offline
    roles: [keystone]
    databases:
      main: {{url: "sqlite:///{database}"}}
    units: []
    builds:
      "*":
        environment: {{path: "{envs}/{{release}}", link: "{envs}/current", requirements: ["keystone=={{version}}"]}}
    commands: {{keystone-manage: [/bin/true]}}
    backup: {{dir: "{state}/backups"}}
"""


@dataclass
class Site:
    folder: Path
    sshd: Sshd

    def __post_init__(self) -> None:
        self.repo = GitRepo(self.folder / "fleet.git")
        self.head = ""
        self._host()
        self._database()

    @property
    def config(self) -> Path:
        return self.folder / "reconciler.toml"

    def settings(self, port: int = 0) -> Path:
        self.config.write_text(f"""\
state_dir = "{self.folder}/state"
[source]
url = "{self.folder}/fleet.git"
poll_s = 1
jitter_s = 0
[ssh]
keys = ["{self.sshd.client_key}"]
known_hosts = "{self.folder}/known_hosts"
[web]
listen = "127.0.0.1:{port}"
""")
        return self.config

    def fleet(self, release: str = "yoga") -> str:
        return FLEET.format(
            port=self.sshd.port,
            user=self.sshd.host().login.user,
            state=f"{self.folder}/host",
            database=f"{self.folder}/keystone.db",
            envs=f"{self.folder}/envs",
            release=release,
        )

    def want(self, text: str) -> str:
        parents = [self.head] if self.head else []
        self.head = self.repo.commit(self.repo.files({"fleet.yaml": text.encode()}), *parents)
        return self.head

    def trust(self) -> None:
        (self.folder / "known_hosts").write_text(self.sshd.known_hosts.read_text())

    def _host(self) -> None:
        place = self.folder / "envs/yoga/lib/python3/site-packages/keystone-21.0.1.dist-info"
        place.mkdir(parents=True)
        (place / "METADATA").write_text("Metadata-Version: 2.1\nName: keystone\nVersion: 21.0.1\n\n")
        (self.folder / "envs/current").symlink_to(self.folder / "envs/yoga")

    def _database(self) -> None:
        with sqlite3.connect(self.folder / "keystone.db") as database:
            database.execute("create table migrate_version (repository_id text, repository_path text, version integer)")
            rows = [(name, "", version) for name, version in YOGA.items()]
            database.executemany("insert into migrate_version values (?, ?, ?)", rows)
            database.execute("create table user (id text)")
