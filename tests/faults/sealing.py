"""Old runs are being sealed: the daemon is killed before and after, and nothing is lost of what was ever written."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Sequence

from reconciler.adapters.journal import SqlJournal
from reconciler.domain.journal import Entry, Kind
from tests.faults.cases import Case
from tests.faults.ground import PATIENCE_S, End, Ground
from tests.integration.daemon.site import HOSTS

POLICY = {
    "RECONCILER_JOURNAL__KEEP_RUNS": "1",
    "RECONCILER_JOURNAL__KEEP_DAYS": "0",
    "RECONCILER_JOURNAL__SEAL_RUNS": "2",
}
PRUNED = "fleet:\n  backups: {keep: 1}\n"
CHANGES = 4
"""So many changes of the configuration between two legs are two runs that nobody needs any more."""
RUNS = CHANGES + 3
"""Two legs, and a last change after the second one."""


def killed_while_sealing() -> list[Case]:
    """Kill the daemon on either side of a checkpoint."""
    return [killed_at(side) for side in ("before", "after")]


def killed_at(side: str) -> Case:
    """Let the daemon die of sealing what was between two legs; the next one seals what that one did not."""

    def run(ground: Ground, _: End) -> None:
        daemon = ground.daemon(f"segment_sealed.{side}", **POLICY)
        for n in range(CHANGES + 1):
            want(ground, "two", f"good-{n}")
            ground.in_sync(daemon)
        want(ground, "three", "good")
        assert daemon.process.wait(PATIENCE_S) == -signal.SIGKILL, "the boundary was not reached"
        assert sealed(ground) == 0 if side == "before" else sealed(ground) >= 2
        following = ground.in_sync(ground.daemon(**POLICY))
        want(ground, "three", "better")
        ground.in_sync(following)
        ground.await_(lambda: sealed(ground) >= 2, "the checkpoint")
        assert ended(ground) == RUNS, "each leg and each change is one run, sealed or not"
        done = Counter(ground.end().done)
        assert all(done[f"{host}: {verb} demo"] == RUNS for host in HOSTS for verb in ("stop", "start")), done
        assert ground.site.ledger() == ["begin two", "end two", "begin three", "end three"]

    return Case(f"killed-while-sealing {side}", run)


def want(ground: Ground, release: str, mode: str) -> None:
    """Commit a release and a configuration, under a policy that keeps one backup set."""
    files = ground.files(release, mode)
    ground.site.push(files | {"fleet.yaml": files["fleet.yaml"].replace("fleet:\n", PRUNED, 1)})


def sealed(ground: Ground) -> int:
    """Count the runs that the store no longer holds."""
    reader = SqlJournal.reader(f"sqlite:///{ground.site.store}")
    try:
        here, ever = reader.read(), reader.everything()[0]
    finally:
        reader.close()
    return runs(ever) - runs(here)


def ended(ground: Ground) -> int:
    """Count the runs that ever ended."""
    reader = SqlJournal.reader(f"sqlite:///{ground.site.store}")
    try:
        return runs(reader.everything()[0])
    finally:
        reader.close()


def runs(entries: Sequence[Entry]) -> int:
    return sum(1 for each in entries if each.kind == Kind.RUN_ENDED)
