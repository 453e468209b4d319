"""What it costs to load the catalog: one service cold, all of them, and again.

    python -m benchmarks.catalog_load

Each is measured in a process of its own, after imports, because what was loaded stays: milliseconds of
CPU, so that a busy machine does not count. It prints and judges nothing.
"""

from __future__ import annotations

import subprocess
import sys
import time

from reconciler.catalog import load_catalog


def main(argv: list[str]) -> int:
    """Print the cost of each way; with the names of services as arguments, of loading these once and again."""
    if argv:
        print(f"{measured(argv):8.2f} ms cold {measured(argv):8.2f} ms cached")
        return 0
    services = sorted(load_catalog().services)
    for names in (*([name] for name in services), services):
        what = names[0] if len(names) == 1 else f"all {len(names)}"
        line = subprocess.run(
            [sys.executable, "-m", "benchmarks.catalog_load", *names], check=True, capture_output=True, text=True
        ).stdout
        print(f"{what:16} {line.rstrip()}")
    return 0


def measured(names: list[str]) -> float:
    """Return the milliseconds of CPU that asking the catalog for each of `names` takes."""
    begun = time.process_time()
    catalog = load_catalog()
    for name in names:
        catalog.service(name)
    return (time.process_time() - begun) * 1000


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
