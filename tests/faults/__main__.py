"""Runs the matrix of faults: `python -m tests.faults [--full] [--jobs N] [WORD...]`; words choose cases by their names."""

from __future__ import annotations

import argparse
import atexit
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.faults.cases import CASES, Case, boundaries, few, killed_at
from tests.faults.errors import errors
from tests.faults.ground import End, Ground
from tests.faults.orders import killed_in_commands
from tests.faults.sealing import killed_while_sealing
from tests.faults.way_back import boundaries_of_the_way_back, killed_on_the_way_back, leg_taken_back


def main() -> int:
    """Divide the cases among processes with hosts and databases of their own; exit 1 when any failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--full", action="store_true", help="kill at every boundary each time that it is reached")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--share", type=int, help="of so many jobs do the part of this number")
    parser.add_argument("words", nargs="*")
    asked = parser.parse_args()
    if asked.share is not None:
        return share(asked)
    argv = [sys.executable, "-m", "tests.faults", *sys.argv[1:]]
    parts = [subprocess.Popen([*argv, "--share", str(n)], stdout=subprocess.PIPE, text=True) for n in range(asked.jobs)]
    with ThreadPoolExecutor(asked.jobs) as readers:
        told = [line for lines in readers.map(shown, parts) for line in lines]
    failed = sum(line.startswith("FAILED") for line in told)
    broken = [part for part in parts if part.wait() not in {0, 1}]
    print(f"{len(told)} cases, {failed} failed{', and a part of them could not be carried out' if broken else ''}")
    return 1 if failed or broken or not told else 0


def shown(part: subprocess.Popen[str]) -> list[str]:
    """Print what a part prints, as it comes, and return the lines that are about cases."""
    assert part.stdout is not None
    lines = []
    for line in part.stdout:
        print(line, end="", flush=True)
        lines.append(line)
    return [line for line in lines if line.startswith(("ok ", "FAILED "))]


def share(asked: argparse.Namespace) -> int:
    """Carry out one part of the cases."""
    ground = Ground()
    atexit.register(ground.close)
    with TemporaryDirectory(prefix="faults-trace-") as folder:
        trace, trace_back = Path(folder) / "trace", Path(folder) / "trace-back"
        undisturbed, taken_back = undisturbed_leg(ground, trace), leg_taken_back(ground, trace_back)
        found = list(boundaries(trace))
        found_back = list(boundaries_of_the_way_back(trace_back, full=asked.full))
    cases = [*CASES, *(killed_at(*one) for one in (found if asked.full else few(found)))]
    cases += [*killed_in_commands(full=asked.full), *errors(found, full=asked.full), *killed_while_sealing()]
    cases += [killed_on_the_way_back(*one, taken_back) for one in found_back]
    chosen = [each for each in cases if not asked.words or any(word in each.name for word in asked.words)]
    results = [carried_out(each, ground, undisturbed) for each in chosen[asked.share :: asked.jobs]]
    return 0 if all(results) else 1


def undisturbed_leg(ground: Ground, trace: Path) -> End:
    """Carry the leg out with nothing in its way, and write its boundaries down."""
    ground.begin()
    try:
        ground.in_sync(ground.daemon(f"trace:{trace}"))
        return ground.end()
    finally:
        ground.finish()


def carried_out(case: Case, ground: Ground, undisturbed: End) -> bool:
    """Carry one case out and print how it went, in one line."""
    begun = time.monotonic()
    ground.begin()
    try:
        case.run(ground, undisturbed)
    except Exception as error:  # noqa: BLE001 - whatever it is, the case failed, and the others go on
        text = " | ".join(str(error).splitlines())
        print(f"FAILED  {case.name}: {type(error).__name__}: {text}", flush=True)
        return False
    finally:
        ground.finish()
    remark = f"; {ground.remark}" if ground.remark else ""
    print(f"ok      {case.name}  ({time.monotonic() - begun:.1f} s{remark})", flush=True)
    return True


sys.exit(main())
