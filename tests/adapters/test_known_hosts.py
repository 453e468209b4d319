from __future__ import annotations

from pathlib import Path

import asyncssh
import pytest

from reconciler.adapters.known_hosts import HostKey, Pinned, pin, pinned, trusted
from reconciler.errors import SettingsError


def host_key(address: str = "alpha", port: int = 22, algorithm: str = "ssh-ed25519") -> HostKey:
    key = asyncssh.generate_private_key(algorithm)
    name = address if port == 22 else f"[{address}]:{port}"
    kind, text = key.export_public_key().decode().split()[:2]
    return HostKey(address, port, kind, key.get_fingerprint(), f"{name} {kind} {text}")


def test_a_first_key_is_added(tmp_path: Path) -> None:
    file, key = tmp_path / "new" / "known_hosts", host_key()
    assert pinned(file, "alpha") == ()
    assert pin(file, key) == Pinned.ADDED
    assert file.read_text() == key.line + "\n"
    assert pinned(file, "alpha") == (key,)
    assert key.fingerprint.startswith("SHA256:")


def test_the_same_key_changes_nothing(tmp_path: Path) -> None:
    file, key = tmp_path / "known_hosts", host_key()
    pin(file, key)
    before = file.stat().st_ino
    assert pin(file, key) == Pinned.SAME
    assert pin(file, key, replace=True) == Pinned.SAME
    assert file.stat().st_ino == before


def test_another_key_is_refused_unless_it_shall_replace(tmp_path: Path) -> None:
    file, old, new = tmp_path / "known_hosts", host_key(), host_key()
    pin(file, old)
    assert pin(file, new) == Pinned.DIFFERS
    assert pinned(file, "alpha") == (old,)
    assert pin(file, new, replace=True) == Pinned.REPLACED
    assert pinned(file, "alpha") == (new,)


def test_replacing_leaves_other_lines_as_they_are(tmp_path: Path) -> None:
    file, old, new, other, port = (
        tmp_path / "known_hosts",
        host_key(),
        host_key(),
        host_key("beta"),
        host_key(port=2222),
    )
    lines = ["# ours", other.line, "", old.line, port.line, f"@revoked {old.line}"]
    file.write_text("\n".join(lines) + "\n")
    assert pin(file, new, replace=True) == Pinned.REPLACED
    assert file.read_text().splitlines() == ["# ours", other.line, "", port.line, f"@revoked {old.line}", new.line]


def test_ports_are_told_apart(tmp_path: Path) -> None:
    file, first, second = tmp_path / "known_hosts", host_key(port=2201), host_key(port=2202)
    pin(file, first)
    assert pin(file, second) == Pinned.ADDED
    assert pinned(file, "alpha", 2201) == (first,)
    assert pinned(file, "alpha", 2202) == (second,)
    assert pinned(file, "alpha", 22) == ()


def test_a_broken_line_is_an_error_with_a_hint(tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"
    file.write_text("@nonsense alpha x\n")
    with pytest.raises(SettingsError, match="nonsense") as error:
        trusted(file, "alpha", 22)
    assert error.value.hint
