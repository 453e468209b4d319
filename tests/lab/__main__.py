"""Bring a lab up, run a command or a shell on its network, take it down.

`python -m tests.lab [COMMAND...]`
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.lab import image, repository
from tests.lab.lab import Lab


def main() -> int:
    """Return the exit code of the command."""
    try:
        image.check_machine()
        image.install(image.TOOLS)
        root = image.ensure()
    except image.CannotBuildError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="reconciler-lab-") as name:
        folder = Path(name)
        repository.publish(folder / "repository", repository.DEMO, *repository.DEMO_VERSIONS)
        lab = Lab.start(folder, root)
        try:
            print(f"ssh -F {folder}/ssh_config {'|'.join(lab.hosts)}; exit ends the lab", file=sys.stderr)
            with lab.network():
                command = sys.argv[1:] or [os.environ.get("SHELL", "/bin/sh")]
                return subprocess.run(command, check=False).returncode
        finally:
            lab.stop()


if __name__ == "__main__":
    raise SystemExit(main())
