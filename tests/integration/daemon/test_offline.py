"""Verbs that need no daemon."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from reconciler.adapters.clock import SystemClock
from reconciler.adapters.journal import SqlJournal
from reconciler.domain.journal import Draft
from tests.integration.daemon.daemon import Daemon, checked, child, cli
from tests.integration.daemon.site import Site

pytestmark = [pytest.mark.integration, pytest.mark.daemon]


def test_validate_says_every_mistake_by_place(site: Site) -> None:
    folder = site.folder()
    assert cli(site, "validate", folder).code == 0
    fleet = folder / "fleet.yaml"
    fleet.write_text(fleet.read_text().replace("release: one", "release: onne").replace("[ready]", "[raedy]"))
    refused = cli(site, "validate", folder)
    assert refused.code == 1
    said = refused.out.splitlines()
    assert len(said) == 3, said
    for line in said:
        place, error, _ = line.split(": ", 2)
        assert place.startswith(f"{fleet}:")
        assert error == "error"
    assert "ready" in said[1]
    assert "Traceback" not in refused.text


def test_one_flipped_byte_in_the_store_is_found(site: Site, daemon: Daemon) -> None:
    good = cli(site, "history", "--verify")
    assert good.code == 0
    assert "whole" in good.text
    daemon.kill()
    copy = site.root / "copy"
    shutil.copytree(site.state, copy)
    flip(copy / "journal.sqlite", b"Ada <ada@", b"Ada <ade@")
    site.config.write_text(site.config.read_text().replace(str(site.state), str(copy)))
    bad = cli(site, "history", "--verify")
    assert bad.code == 1
    assert str(copy / "journal.sqlite") in bad.err
    assert "chain is broken" in bad.text
    assert "entry 1" in bad.text or "number 1" in bad.text
    assert "hint:" in bad.err
    assert cli(site, "check", "--pre").code == 1


def test_what_a_newer_version_wrote_keeps_an_older_one_from_starting(site: Site, daemon: Daemon) -> None:
    daemon.reached("InSync")
    daemon.kill()
    journal = SqlJournal.acquire(f"sqlite:///{site.store}", SystemClock())
    journal.append([Draft("wave_frozen", group="demo", body={"wave": 2})])
    journal.close()
    refused = child(site, "run", "--once")
    assert refused.code == 1
    assert "the journal holds what this program does not know" in refused.text
    assert "(wave_frozen)" in refused.text
    assert "hint: Run the version that wrote it" in refused.text
    assert "Traceback" not in refused.text


def flip(store: Path, old: bytes, new: bytes) -> None:
    """Change bytes of the file itself, as a disk or an editor would."""
    with closing(sqlite3.connect(store)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = store.read_bytes()
    assert content.count(old) == 1
    store.write_bytes(content.replace(old, new))


def test_check_finds_what_a_daemon_would_miss(site: Site) -> None:
    good = cli(site, "check", "--pre", "-o", "json")
    assert good.code == 0, good.text
    assert [each["check"] for each in good.json["checks"]][-2:] == ["host alpha", "host beta"]
    assert not site.state.exists()

    site.token.chmod(0o644)
    loose = cli(site, "check", "--pre", "-o", "json")
    (failed,) = [each for each in loose.json["checks"] if not each["ok"]]
    assert failed["check"] == f"secret file {site.token}"
    assert "0644" in failed["text"]
    site.token.chmod(0o600)

    (site.root / "key").write_text("no key")
    site.repo.path.rename(site.root / "away.git")
    bad = cli(site, "check", "--pre", "-o", "json")
    assert bad.code == 1
    failed = {each["check"]: each for each in bad.json["checks"] if not each["ok"]}
    assert set(failed) == {f"key {site.root}/key", "source"}
    assert all(each["hint"] for each in failed.values())
    assert "fleet.git" in failed["source"]["text"]

    site.config.write_text("state_dirr = 1\n")
    typo = cli(site, "check", "--pre")
    assert typo.code == 1
    assert f"{site.config}: state_dirr" in typo.text
    assert "did you mean `state_dir`?" in typo.text


def test_identify_leaves_the_file_as_it_was(site: Site) -> None:
    database = site.root / "keystone.db"
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript("CREATE TABLE user (id); CREATE TABLE alembic_version (version_num);")
        connection.executemany("INSERT INTO alembic_version VALUES (?)", [("e25ffa003242",), ("29e87d24a316",)])
        connection.commit()
    before = (database.read_bytes(), database.stat().st_mtime_ns, sorted(site.root.glob("keystone.db*")))
    found = cli(site, "identify", "keystone", f"sqlite:///{database}", "-o", "json")
    assert found.code == 0, found.text
    assert checked(found, "identify")["releases"]
    assert (database.read_bytes(), database.stat().st_mtime_ns, sorted(site.root.glob("keystone.db*"))) == before


def test_before_a_daemon_ever_ran_every_verb_says_so(site: Site) -> None:
    for words in (("status",), ("why", "demo"), ("history",), ("plan",), ("retry", "demo")):
        said = cli(site, *words)
        assert said.code == 1, words
        assert str(site.store) in said.text, words
        assert "hint:" in said.err, words
