"""Supervisord per host: its configuration, its commands, and what it says of a program.

A folder's path must be short: a Unix socket's name ends at 107 bytes. No word may hold ` ;` or ` #`: there
supervisord's configuration file begins a comment.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A process to be kept in the foreground: command line, what its environment adds, where it runs."""

    name: str
    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    directory: Path
    autostart: bool = False


def config_file(folder: Path) -> Path:
    """Name the configuration file of a host's supervisord."""
    return folder / "supervisord.conf"


def write_config(folder: Path, programs: Iterable[Program]) -> Path:
    """Write a host's supervisord.conf into its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    path = config_file(folder)
    path.write_text(_HEAD.format(folder=_escape(str(folder))) + "".join(_section(folder, p) for p in programs))
    return path


def command(folder: Path) -> tuple[str, ...]:
    """Give the command line that runs supervisord in the foreground; SIGTERM stops it and its programs."""
    return (sys.executable, "-m", "supervisor.supervisord", "--nodaemon", "-c", str(config_file(folder)))


def control(folder: Path, *words: str) -> tuple[str, ...]:
    """Give the command line of supervisorctl, for example `control(folder, "restart", "keystone")`.

    Exit codes: 0 done; 7 a program did not start or stop; `status` says 3 when one is not running, 4 when
    supervisord does not answer or does not know it.
    """
    return (sys.executable, "-m", "supervisor.supervisorctl", "-c", str(config_file(folder)), *words)


def start(folder: Path) -> subprocess.Popen[bytes]:
    """Start a host's supervisord in a session of its own, so that Ctrl-C reaches only who started it."""
    return subprocess.Popen(
        command(folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


# No retries and no restarts: what failed ends as FATAL or EXITED (supervisord on a busy machine tries once more).
_HEAD = """\
[unix_http_server]
file={folder}/supervisor.sock
chmod=0700

[supervisord]
directory={folder}
logfile={folder}/supervisord.log
pidfile={folder}/supervisord.pid
childlogdir={folder}
loglevel=info

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl=unix://{folder}/supervisor.sock
"""


def _section(folder: Path, program: Program) -> str:
    """Describe a program; env carries its environment, because supervisord's own option knows no escapes."""
    added = [f"{name}={value}" for name, value in program.environment.items()]
    words = shlex.join(("/usr/bin/env", *added, *program.argv))
    return f"""
[program:{program.name}]
command={_escape(words)}
directory={_escape(str(program.directory))}
autostart={str(program.autostart).lower()}
autorestart=false
startsecs=1
startretries=0
stopsignal=TERM
stopwaitsecs=15
killasgroup=true
redirect_stderr=true
stdout_logfile={_escape(str(folder))}/{program.name}.log
"""


def _escape(text: str) -> str:
    """Double what supervisord would expand."""
    return text.replace("%", "%%")
