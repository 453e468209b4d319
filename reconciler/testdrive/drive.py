"""A testdrive from its beginning to its end, whatever comes between: Ctrl-C, SIGTERM, a failure."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console

from reconciler.adapters.journal import SqlJournal
from reconciler.cli.output import plain
from reconciler.errors import ReconcilerError
from reconciler.testdrive import keystone, mariadb, processes, setup
from reconciler.testdrive.acts import CONFIG, SERVICE_FILE, Result, Stage, play
from reconciler.testdrive.follow import Follower
from reconciler.testdrive.show import Show
from reconciler.testdrive.site import BEGIN, BEYOND, GOAL, RELEASES, Site, new_site

PREFIX = "reconciler-testdrive-"
LONGEST_ROOT = 60
"""A Unix socket's name ends at 107 bytes; supervisord's lies in a host's folder, with a suffix at first."""

INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the person asked for; `engine` is empty when MariaDB is to be taken where it is installed."""

    keep: bool = False
    json: bool = False
    engine: str = ""


def main(wishes: Wishes) -> int:
    """Play the testdrive and return the exit code: 0 when all went as promised, 1 when not, 130 interrupted."""
    show = Show(Console(stderr=wishes.json, highlight=False, emoji=False, soft_wrap=True))
    engine = wishes.engine or ("mariadb" if mariadb.is_installed() else "sqlite")
    root = _new_root()
    processes.mark(root)
    site = new_site(root, engine)
    result = Result(database=engine)
    with _interruptible():
        try:
            return _carry(site, show, result, wishes)
        except KeyboardInterrupt:
            show.doing("interrupted: stopping and removing everything")
            _end(site, show)
            show.line("interrupted; everything is stopped and removed")
            return INTERRUPTED
        except BaseException:
            processes.stop(root)
            raise


def stop(root: Path) -> int:
    """Stop and remove a testdrive that was kept; 1 when the folder is none of ours."""
    if not root.name.startswith(PREFIX) or not (root / "reconciler.toml").exists():
        return 1
    processes.stop(root.resolve())
    processes.remove(root.resolve())
    return 0


def _carry(site: Site, show: Show, result: Result, wishes: Wishes) -> int:
    try:
        _play(site, show, result)
    except ReconcilerError as error:
        result.error = str(error)
        _tell_failure(site, show, error)
    _sum_up(show, result)
    if result.good and wishes.keep:
        _tell_more(site, show)
    elif result.good:
        show.begin("stopping and removing everything; --keep would leave it to be explored")
        _end(site, show)
    if wishes.json:
        sys.stdout.write(json.dumps(asdict(result)) + "\n")
    return 0 if result.good else 1


def _play(site: Site, show: Show, result: Result) -> None:
    show.title(f"reconciler testdrive: Keystone {BEGIN} to {GOAL} and back, on three hosts in {site.root}")
    if not keystone.is_filled(site.store, RELEASES):
        with result.timed("download"):
            show.line(f"downloading Keystone and what it needs into {site.store.folder}; next time it is there")
            keystone.fill(site.store, RELEASES, show.begin)
    with result.timed("setup"):
        asyncio.run(setup.set_up(site, show.begin))
    show.doing("the daemon starts")
    daemon = processes.start((sys.executable, "-m", "reconciler", "run", "--config", str(site.settings)), _log(site))
    reader = SqlJournal.reader(site.journal_url)
    try:
        follower = Follower(reader, daemon, show.heard)
        play(Stage(site, setup.repository_of(site), follower, show, result))
    finally:
        reader.close()
        show.rest()


def _log(site: Site) -> Path:
    return site.root / "daemon.log"


def _new_root() -> Path:
    folder = tempfile.gettempdir()
    root = Path(tempfile.mkdtemp(prefix=PREFIX, dir=folder if len(folder) < LONGEST_ROOT - len(PREFIX) - 8 else "/tmp"))  # noqa: S108
    return root.resolve()


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let SIGTERM and a closed terminal do what Ctrl-C does, also where that is ignored, as in the background."""

    def interrupt(*_: object) -> None:
        signal.raise_signal(signal.SIGINT)

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    before[signal.SIGINT] = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(site: Site, show: Show) -> None:
    """Stop and remove everything; this takes a moment, and is not interrupted again."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    processes.stop(site.root)
    processes.remove(site.root)
    show.rest()


def _tell_more(site: Site, show: Show) -> None:
    """Print what to try next."""
    show.title("Everything still runs. What to try next:")
    for command, meaning in _to_try(site):
        show.console.print(f"  {plain(command)}  [dim]# {plain(meaning)}[/]")


def _to_try(site: Site) -> tuple[tuple[str, str], ...]:
    bin_ = Path(sys.executable).parent
    return (
        (f"export {CONFIG}={site.settings} PATH={bin_}:$PATH", "where the daemon is found"),
        ("reconciler status --watch", "in a second terminal"),
        ("reconciler history -n 0", "the journal of what you saw"),
        (f"reconciler route keystone {BEGIN} {BEYOND} --policy offline", "the way to the newest release"),
        (f"cd {site.root}/desired", "the clone of the desired state"),
        (f"sed -i 's/release: {BEGIN}/release: \"{BEYOND}\"/' {SERVICE_FILE}", "ask for it"),
        ("reconciler observe -o json >../seen && reconciler plan . --observed ../seen", "what would be done"),
        ("git commit -am Advance && git push origin main", "let it be done; `git revert HEAD` takes it back"),
        (f"ls {site.root} {site.root}/ks1", "daemon.log, backups, and a host: its state, logs, environments"),
        (f"reconciler testdrive --stop {site.root}", "stop everything and remove the folder"),
    )


def _tell_failure(site: Site, show: Show, error: ReconcilerError) -> None:
    """Stop everything, and say what is wrong and where the logs are."""
    show.rest()
    processes.stop(site.root)
    show.line(f"FAILED  {error}", "bold red")
    if error.hint:
        show.text(f"hint: {error.hint}")
    if not any(site.root.iterdir()):
        site.root.rmdir()
        return
    show.text(f"everything is stopped; the logs are kept: {_log(site)}, {site.root}/ks*/*.log")
    show.text(f"remove them with: rm -r {site.root}")


def _way(result: Result) -> str:
    return " > ".join([*(hop["from"] for hop in result.hops), *(hop["to"] for hop in result.hops[-1:])])


def _sum_up(show: Show, result: Result) -> None:
    show.title("Summary")
    for name, good in (
        (f"advanced {_way(result)}", result.advanced),
        ("halted at the canary, and backed out", result.halted),
        ("recovered by a revert", result.recovered),
        ("rolled back, row for row", result.rolled_back),
    ):
        show.console.print(f"  [{'green' if good else 'red'}]{'yes' if good else 'NO '}[/]  {name}")
    seconds = ", ".join(f"{name} {value:.0f}" for name, value in result.seconds.items())
    show.text(f"  seconds: {seconds}; database: {result.database}")
