from __future__ import annotations

from datetime import UTC, datetime

import pytest

from reconciler.domain.signers import Signers, Unreadable, fingerprint, read_signers
from tests.support.signers import key, line

GOOD = line("ada")


def read(text: str | bytes) -> Signers:
    found = read_signers(text if isinstance(text, bytes) else text.encode(), "f")
    assert isinstance(found, Signers), found
    return found


def problems(text: str | bytes) -> tuple[str, ...]:
    found = read_signers(text if isinstance(text, bytes) else text.encode(), "f")
    assert isinstance(found, Unreadable), found
    return found.problems


def test_a_line_names_a_signer_by_key():
    found = read(f"# who may\n\n{GOOD}{line('bo')}")
    assert [(each.principals, each.line) for each in found.lines] == [("ada@example.org", 3), ("bo@example.org", 4)]
    assert [each.principals for each in found.of(key("bo"))] == ["bo@example.org"]
    assert found.of(key("eve")) == ()


def test_a_fingerprint_is_that_of_ssh_keygen():
    assert fingerprint(key("ada")).startswith("SHA256:")
    assert len(fingerprint(key("ada"))) == len("SHA256:") + 43


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (line("ada", options=""), 'f:1: lacks `namespaces="git"`'),
        (line("ada", options='namespaces="file"'), "f:1: lacks `namespaces"),
        (line("ada", options='namespaces="git,file"'), "f:1: lacks `namespaces"),
        (line("ada", options='namespaces="*"'), "f:1: lacks `namespaces"),
        (line("ada", options='cert-authority,namespaces="git"'), "f:1: certificate authorities are not supported"),
        (line("ada", options='namespaces="git",colour="red"'), "f:1: there is no option 'colour'"),
        (line("ada", options='namespaces="git",namespaces="git"'), "f:1: the option 'namespaces' stands there twice"),
        (line("ada", options='namespaces="git'), "f:1: 'namespaces=\"git ssh-ed25519"),
        (line("ada", options='namespaces="git",valid-after="20260101"'), "f:1: the time '20260101' must be YYYYMMDD"),
        (line("ada", options='namespaces="git",valid-after="20261301Z"'), "f:1: there is no time '20261301Z'"),
        ('ada@example.org namespaces="git" ssh-dss AAAA', "f:1: 'ssh-dss' is no type of key that is taken"),
        ('ada@example.org namespaces="git" ssh-ed25519 !!!', "f:1: the key is not base64"),
        ('ada@example.org namespaces="git" ssh-ed25519 AAAA', "f:1: the key is not one of type ssh-ed25519"),
        ('ada@example.org namespaces="git" ssh-rsa ' + GOOD.split()[-1], "f:1: the key is not one of type ssh-rsa"),
        (" ".join(GOOD.split()[2:]), "f:1: a line is `NAME namespaces"),
        ("ada@example.org", "f:1: a line is `NAME namespaces"),
        (GOOD.replace("ada", "a\u202eda"), "f:1: holds a control or invisible character"),
        (GOOD + "x\0y", "f:2: holds a control or invisible character"),
        ("# nobody\n", "f: names nobody"),
        (GOOD.encode() + b"\xff", "f:2: is not UTF-8"),
        (b"#" * (1 << 20) + b"#", "f: is larger than"),
    ],
)
def test_what_is_not_clear_is_refused_by_line(text, problem):
    (found,) = problems(text)
    assert found.startswith(problem), found


def test_all_problems_come_at_once():
    found = problems(line("ada", options="") + GOOD + "eve\n")
    assert [each.split(" ")[0] for each in found] == ["f:1:", "f:3:"]


@pytest.mark.parametrize(
    ("options", "counts"),
    [
        ('valid-after="20260601Z"', [False, True, True]),
        ('valid-before="20260601Z"', [True, False, False]),
        ('valid-after="202606010000Z",valid-before="20260601000001Z"', [False, True, False]),
    ],
)
def test_a_key_counts_within_its_time(options, counts):
    (signer,) = read(line("ada", options=f'namespaces="git",{options}')).lines
    moments = [datetime(2026, 5, 31, 23, 59, 59, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)]
    moments.append(datetime(2026, 6, 1, 0, 0, 1, tzinfo=UTC))
    assert [not signer.objection(moment) for moment in moments] == counts
