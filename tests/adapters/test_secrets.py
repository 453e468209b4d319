"""Secrets are read only from where nobody else can, and appear nowhere."""

from __future__ import annotations

import html
import json
import os
import shlex
from base64 import b64encode, urlsafe_b64encode
from pathlib import Path
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.adapters.redactor import REDACTED, Redactor
from reconciler.adapters.secrets import MAX_BYTES, LocalSecrets
from reconciler.domain.desired import SecretRef
from reconciler.domain.reasons import Reason
from reconciler.errors import SecretError

CANARY = "c4nary p@ss/w'rd"


@pytest.fixture
def redactor() -> Redactor:
    return Redactor()


def private(path: Path, content: bytes = CANARY.encode(), mode: int = 0o600) -> SecretRef:
    path.write_bytes(content)
    path.chmod(mode)
    return SecretRef("file", str(path))


@pytest.mark.parametrize(
    ("content", "secret"),
    [
        (b"abc", "abc"),
        (b"abc\n", "abc"),
        (b"abc\r\n", "abc"),
        (b"abc\n\n", "abc\n"),
        (b" abc ", " abc "),
        (b"k1\nk2\n", "k1\nk2"),
        ("pässword".encode(), "pässword"),
        (b"x" * MAX_BYTES, "x" * MAX_BYTES),
    ],
)
def test_reads_a_file_without_one_trailing_newline(tmp_path, redactor, content, secret):
    assert LocalSecrets({}, redactor).resolve(private(tmp_path / "s", content)) == secret


def test_reads_the_environment_it_was_given(redactor):
    assert LocalSecrets({"DB": "abc\n"}, redactor).resolve(SecretRef("env", "DB")) == "abc"


def test_reads_credentials(tmp_path, redactor):
    private(tmp_path / "db", mode=0o400)
    secrets = LocalSecrets({"CREDENTIALS_DIRECTORY": str(tmp_path)}, redactor)

    assert secrets.resolve(SecretRef("credential", "db")) == CANARY


def test_follows_a_rotated_secret(tmp_path, redactor):
    secrets = LocalSecrets({}, redactor)
    secrets.resolve(private(tmp_path / "s", b"first-secret"))
    secrets.resolve(private(tmp_path / "s", b"second-secret"))

    assert redactor.redact("first-secret, second-secret") == f"{REDACTED}, {REDACTED}"


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o602, 0o601, 0o660, 0o620, 0o777])
def test_refuses_a_file_that_others_get_at(tmp_path, redactor, mode):
    with pytest.raises(SecretError, match="lets others at it") as caught:
        LocalSecrets({}, redactor).resolve(private(tmp_path / "s", mode=mode))

    assert caught.value.reason == Reason.SECRET_MISSING
    assert "chmod" in caught.value.hint


@pytest.mark.parametrize(
    ("ref", "what"),
    [
        (SecretRef("file", "/nonexistent/s"), "No such file"),
        (SecretRef("file", "relative/s"), "not absolute"),
        (SecretRef("file", "/tmp"), "no regular file"),
        (SecretRef("file", "/dev/zero"), "no regular file"),
        (SecretRef("file", "/tmp/a\0b"), "invalid"),
        (SecretRef("env", "MISSING"), "not set"),
        (SecretRef("env", "EMPTY"), "empty"),
        (SecretRef("env", "LATIN"), "UTF-8"),
        (SecretRef("credential", "none"), "No such file"),
        (SecretRef("credential", "../etc/shadow"), "plain file name"),
        (SecretRef("credential", ""), "plain file name"),
        (SecretRef("vault", "x"), "no such kind"),
    ],
)
def test_says_what_is_wrong_and_with_which_reference(tmp_path, redactor, ref, what):
    environ = {"EMPTY": "\n", "LATIN": "\udcff", "CREDENTIALS_DIRECTORY": str(tmp_path)}

    with pytest.raises(SecretError, match=what) as caught:
        LocalSecrets(environ, redactor).resolve(ref)

    assert repr(ref.origin) in str(caught.value)
    assert caught.value.hint


def test_a_credential_without_systemd_is_an_error(redactor):
    with pytest.raises(SecretError, match="CREDENTIALS_DIRECTORY"):
        LocalSecrets({}, redactor).resolve(SecretRef("credential", "db"))


@pytest.mark.parametrize("content", [CANARY.encode() + b"\xff", CANARY.encode() + b"\0", CANARY.encode() * 10_000])
def test_an_error_never_shows_the_value(tmp_path, redactor, content):
    with pytest.raises(SecretError) as caught:
        LocalSecrets({}, redactor).resolve(private(tmp_path / "s", content))

    assert CANARY not in str(caught.value) + caught.value.hint
    assert caught.value.__cause__ is None  # a decoding error holds the bytes


def test_a_fifo_does_not_hold_up_the_daemon(tmp_path, redactor):
    os.mkfifo(tmp_path / "s", 0o600)

    with pytest.raises(SecretError, match="no regular file"):
        LocalSecrets({}, redactor).resolve(SecretRef("file", str(tmp_path / "s")))


# ---------------------------------------------------------------- redaction


@pytest.mark.parametrize(
    "text",
    [
        CANARY,
        f"mysql://keystone:{quote_plus(CANARY)}@db/keystone",
        "mysql://keystone:c4nary%20p%40ss%2Fw%27rd@db/keystone",
        json.dumps({"password": CANARY}),
        shlex.join(["mysql", "-p", CANARY]),
        repr([CANARY]),
        f'<input value="{html.escape(CANARY)}">',
        "mysql://keystone:c4nary%20p%40ss%2fw%27rd@db/keystone",
        f"0x{CANARY.encode().hex()}",
        CANARY.encode().hex().upper(),
        *(b64encode(f"{user}:{CANARY}".encode()).decode() for user in ("a", "bb", "ccc", "dddd")),
        *(b64encode(f"{user}:{CANARY} and more".encode()).decode() for user in ("a", "bb", "ccc", "dddd")),
        urlsafe_b64encode(f"??{CANARY}>>".encode()).decode(),
    ],
)
def test_secrets_are_replaced_in_every_guise(redactor, text):
    redactor.learn(CANARY)

    told = redactor.redact(text)
    assert REDACTED in told
    assert "c4nary" not in told
    assert len(told.replace(REDACTED, "")) <= len(text) - len(CANARY)


def test_the_lines_of_a_key_are_replaced_but_not_its_banner(redactor):
    redactor.learn("-----BEGIN KEY-----\nb3BlbnNzaC1rZXk\nAAAAB3NzaC1yc2E=\n-----END KEY-----")

    assert redactor.redact("a b3BlbnNzaC1rZXk b") == f"a {REDACTED} b"
    assert redactor.redact("-----BEGIN KEY-----") == "-----BEGIN KEY-----"


def test_a_longer_secret_hides_before_a_shorter_one(redactor):
    redactor.learn("abcd")
    redactor.learn("abcdefgh")

    assert redactor.redact("abcdefgh abcd") == f"{REDACTED} {REDACTED}"


def test_short_secrets_leave_text_readable(redactor):
    redactor.learn("abc")

    assert redactor.redact("abc abcd") == "abc abcd"


def test_redacts_within_json(redactor):
    redactor.learn("hunter22")

    assert redactor.redact_all({"hunter22": ["x hunter22", {"n": 1, "b": None}]}) == {
        REDACTED: [f"x {REDACTED}", {"n": 1, "b": None}]
    }


@given(st.text(min_size=4), st.text(), st.text())
def test_no_secret_survives_in_any_text(secret, before, after):
    redactor = Redactor()
    redactor.learn(secret)

    assert secret not in redactor.redact(before + secret + after).replace(REDACTED, "\0") or "\0" in secret
