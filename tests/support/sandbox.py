"""A stand-in for the runner: a folder, a shell, and nothing of the network."""

import os
import shlex
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from reconciler.domain.effect import HostScript
from reconciler.domain.outcome import Exited

SHELLS = [["/bin/sh"], *([["busybox", "sh"]] if shutil.which("busybox") else [])]


@dataclass
class Sandbox:
    """A host made of a temporary folder; `tools` comes first on PATH, `log` holds what fake tools were told."""

    root: Path
    shell: list[str]
    run_id: str = "run-1"
    env: dict[str, str] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        return self.root / "state"

    @property
    def log(self) -> list[str]:
        path = self.root / "log"
        return path.read_text().splitlines() if path.exists() else []

    def tool(self, name: str, text: str) -> None:
        """Put a fake executable on PATH that logs its argv before it does `text`."""
        path = self.root / "tools" / name
        path.write_text(f'#!/bin/sh\necho "{name} $*" >>"{self.root}/log"\n{text}\n')
        path.chmod(0o755)

    def run(self, script: HostScript, secrets: dict[str, str] | None = None) -> Exited:
        """Run a script as the runner does: secrets are variables of the shell that no child process sees."""
        values = self.root / "values"
        values.write_text("")
        plain = {name: self._fill(text, secrets or {}) for name, text in script.secrets.items()}
        file = self.root / "script.sh"
        file.write_text("".join(f"{name}={shlex.quote(text)}\n" for name, text in plain.items()) + script.body)
        env = {
            "PATH": f"{self.root}/tools:{os.environ['PATH']}",
            "HOME": str(self.root),
            "RECONCILER_RUN": self.run_id,
            "RECONCILER_HOME": str(self.home),
            "RECONCILER_VALUES": str(values),
            **self.env,
            **script.env,
        }
        done = subprocess.run(
            [*self.shell, str(file), *script.args],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=100,
        )
        pairs = dict(line.split("=", 1) for line in values.read_text().splitlines())
        return Exited(done.returncode, done.stdout.decode(errors="replace"), pairs)

    @staticmethod
    def _fill(text: str, secrets: dict[str, str]) -> str:
        for name, secret in secrets.items():
            text = text.replace("{secret:" + name + "}", secret)
        return text


@pytest.fixture(params=SHELLS, ids=lambda shell: Path(shell[0]).name)
def sandbox(request: pytest.FixtureRequest, tmp_path: Path) -> Sandbox:
    (tmp_path / "tools").mkdir()
    (tmp_path / "state").mkdir()
    return Sandbox(tmp_path, request.param)
