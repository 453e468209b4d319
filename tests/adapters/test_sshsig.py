"""Signatures that ssh-keygen really makes, and what is made of damaged ones."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.adapters.sshsig import proved_key
from tests.support.signers import real_key, ssh_sign

pytestmark = pytest.mark.integration

PAYLOAD = b"tree 1234\nauthor Ada <ada@example.org> 1 +0000\n\nmessage\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys")


@pytest.fixture(scope="module")
def signature(folder: Path) -> bytes:
    real_key(folder / "ada")
    return ssh_sign(folder / "ada", PAYLOAD)


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_the_key_that_signed_is_found(folder, kind):
    text = real_key(folder / kind, kind)
    assert proved_key(PAYLOAD, ssh_sign(folder / kind, PAYLOAD)) == base64.b64decode(text.split()[1])


def test_other_content_is_not_what_was_signed(signature):
    found = proved_key(PAYLOAD + b"x", signature)
    assert isinstance(found, str)
    assert found.startswith("bears a signature that does not match its content, by the key SHA256:")


def test_a_signature_over_a_file_is_none_over_a_commit(folder, signature):
    found = proved_key(PAYLOAD, ssh_sign(folder / "ada", PAYLOAD, namespace="file"))
    assert found == "bears a signature made for 'file', not for git"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"-----BEGIN PGP SIGNATURE-----\n\nAAAA\n-----END PGP SIGNATURE-----\n", "bears a PGP signature"),
        (b"", "bears no signature of an SSH key"),
        (
            b"-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n",
            "bears a signature that cannot be read",
        ),
        (b"-----BEGIN SSH SIGNATURE-----\nA\n-----END SSH SIGNATURE-----\n", "bears a signature that cannot be read"),
    ],
)
def test_what_is_no_signature_is_named(text, said):
    found = proved_key(PAYLOAD, text)
    assert isinstance(found, str)
    assert found.startswith(said)


@given(st.data())
def test_no_changed_byte_passes(signature, data):
    """All but the base64 is fixed text; what base64 decodes to is changed, one bit anywhere."""
    head, *middle, tail = signature.splitlines(keepends=True)
    raw = bytearray(base64.b64decode(b"".join(middle)))
    position = data.draw(st.integers(0, len(raw) - 1))
    raw[position] ^= 1 << data.draw(st.integers(0, 7))
    assert isinstance(proved_key(PAYLOAD, head + base64.b64encode(raw) + b"\n" + tail), str)
