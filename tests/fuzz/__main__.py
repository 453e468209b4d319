"""Fuzzes what reads from outside: `python -m tests.fuzz [--seconds N] [TARGET...]`.

Each target runs in a process of its own, from the inputs kept under `corpus/`. An input that broke one is kept in `found/`,
and `python -m tests.fuzz --replay TARGET FILE` shows it again.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import atheris

HERE = Path(__file__).parent
LONGEST = 4096  # bytes of an input
MEMORY_MB = 1024
SLOW_S = 10  # longer than that is a finding
SHARES = {"desired": 4, "observed": 2}  # of the time; a desired state takes long to read, and says most


def main() -> int:
    """Fuzz the targets one after the other, for so many seconds in all; exit 1 when any found something."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="for all targets together")
    parser.add_argument("--replay", nargs=2, metavar=("TARGET", "FILE"), help="give one input to one target")
    parser.add_argument("--run", help=argparse.SUPPRESS)
    parser.add_argument("targets", nargs="*")
    asked, rest = parser.parse_known_args()
    if asked.run:
        return run(asked.run, [sys.argv[0], *asked.targets, *rest])
    from tests.fuzz.targets import TARGETS

    if asked.replay:
        TARGETS[asked.replay[0]](Path(asked.replay[1]).read_bytes())
        return 0
    chosen = asked.targets or sorted(TARGETS)
    share = asked.seconds / sum(SHARES.get(name, 1) for name in chosen)
    failed = [name for name in chosen if not sound(name, max(1, int(share * SHARES.get(name, 1))))]
    print(f"{len(chosen)} targets, {len(failed)} failed")
    return 1 if failed else 0


def run(name: str, argv: list[str]) -> int:
    """Fuzz one target in this process, with what it reads instrumented; ends the process."""
    with atheris.instrument_imports(include=["reconciler"]):
        from tests.fuzz.targets import TARGETS
    atheris.Setup(argv, TARGETS[name])
    atheris.Fuzz()
    return 0


def sound(name: str, seconds: int) -> bool:
    """Fuzz one target, and say how it went."""
    found, kept = HERE / "found", HERE / "corpus" / name
    found.mkdir(exist_ok=True)
    kept.mkdir(parents=True, exist_ok=True)
    limits = (f"-max_total_time={seconds}", f"-max_len={LONGEST}", f"-timeout={SLOW_S}", f"-rss_limit_mb={MEMORY_MB}")
    with TemporaryDirectory() as own:
        fresh = Path(own) / "fresh"
        fresh.mkdir()
        ended = subprocess.run(
            [
                *(sys.executable, "-m", "tests.fuzz", "--run", name),
                *limits,
                f"-artifact_prefix={found}/{name}-",
                fresh,
                kept,
            ],
            env={**os.environ, "TMPDIR": own},
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    runs = next((line.split()[1] for line in ended.stderr.splitlines() if line.startswith("Done")), "0")
    if ended.returncode == 0 and runs != "0":
        print(f"ok      {name}: {runs} inputs in {seconds} s", flush=True)
        return True
    print(f"FAILED  {name}:\n{ended.stdout[-1500:]}{ended.stderr[-2500:]}", flush=True)
    print(f"python -m tests.fuzz --replay {name} {found}/{name}-...", flush=True)
    return False


sys.exit(main())
