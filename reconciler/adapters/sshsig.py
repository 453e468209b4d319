"""Signatures of git commits made by SSH keys: https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.sshsig."""

from __future__ import annotations

import base64
import binascii
import re

import asyncssh

from reconciler.domain.signers import fingerprint

_ARMOR = re.compile(rb"-----BEGIN SSH SIGNATURE-----\n([A-Za-z0-9+/=\n]+)-----END SSH SIGNATURE-----\n?", re.ASCII)
_MAGIC = b"SSHSIG\0\0\0\1"  # with version 1
_WEAK = frozenset({b"ssh-rsa", b"ssh-dss"})  # SHA-1, which ssh-keygen refuses too


def proved_key(payload: bytes, signature: bytes) -> bytes | str:
    """Return the public key that made a signature over a commit, or what is wrong with the signature.

    Whose key that is, and whether it may sign, is not asked here.
    """
    armor = _ARMOR.fullmatch(signature)
    if armor is None:
        other = b"PGP" in signature[:40]
        return "bears a PGP signature; only those of SSH keys count" if other else "bears no signature of an SSH key"
    try:
        key, namespace, _, _, made = _fields(base64.b64decode(armor[1].replace(b"\n", b""), validate=True))
        if namespace != b"git":
            return f"bears a signature made for {namespace.decode(errors='replace')[:40]!r}, not for git"
        if _string(made)[0] in _WEAK:
            return "bears a signature over SHA-1; sign with an ed25519 key, or with a newer ssh-keygen"
        line = b'signer namespaces="git" ' + _string(key)[0] + b" " + base64.b64encode(key)
        good = asyncssh.validate_sshsig(payload, signature, "signer", line)
    except (ValueError, binascii.Error, asyncssh.Error, asyncssh.KeyImportError) as error:
        return f"bears a signature that cannot be read: {str(error)[:100] or type(error).__name__}"
    return key if good else f"bears a signature that does not match its content, by the key {fingerprint(key)}"


def _fields(blob: bytes) -> tuple[bytes, bytes, bytes, bytes, bytes]:
    """Split a signature into key, namespace, reserved, hash and what was made; raises ValueError."""
    if not blob.startswith(_MAGIC):
        raise ValueError("it is of no known version")
    rest, found = blob[len(_MAGIC) :], []
    for _ in range(5):
        value, rest = _string(rest)
        found.append(value)
    if rest:
        raise ValueError("something follows its end")
    key, namespace, reserved, kind, made = found
    return key, namespace, reserved, kind, made


def _string(data: bytes) -> tuple[bytes, bytes]:
    """Take a string of the SSH wire format off; raises ValueError."""
    size = int.from_bytes(data[:4], "big")
    if len(data) < 4 + size or len(data) < 4:
        raise ValueError("it is cut off")
    return data[4 : 4 + size], data[4 + size :]
