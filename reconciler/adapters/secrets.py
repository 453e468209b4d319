"""Secrets of the daemon's own machine."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from reconciler.adapters.redactor import Redactor
from reconciler.domain.desired import SecretRef
from reconciler.domain.reasons import Reason
from reconciler.errors import SecretError

MAX_BYTES = 64 * 1024


class LocalSecrets:
    """Secrets from files, environment variables and systemd credentials; all that it reads, the redactor learns."""

    def __init__(self, environ: Mapping[str, str], redactor: Redactor) -> None:
        self._environ = environ
        self._redactor = redactor

    def resolve(self, ref: SecretRef) -> str:
        """Read a secret without its one trailing newline; raises SecretError, which names the reference only.

        It is read anew each time, so that a rotated secret needs no restart.
        """
        secret = _text_of(ref, self._bytes_of(ref))
        self._redactor.learn(secret)
        return secret

    def redact(self, text: str) -> str:
        """Take every secret that was resolved so far out of a text."""
        return self._redactor.redact(text)

    def _bytes_of(self, ref: SecretRef) -> bytes:
        match ref.kind:
            case "file":
                return _read(ref, Path(ref.origin))
            case "env":
                return self._variable(ref)
            case "credential":
                return _read(ref, self._credential(ref))
            case _:
                raise _error(ref, "no such kind of secret", "Use file, env or credential.")

    def _variable(self, ref: SecretRef) -> bytes:
        if ref.origin not in self._environ:
            raise _error(ref, "the variable is not set", "Set it in the daemon's environment.")
        return os.fsencode(self._environ[ref.origin])

    def _credential(self, ref: SecretRef) -> Path:
        folder = self._environ.get("CREDENTIALS_DIRECTORY")
        if not folder:
            raise _error(ref, "$CREDENTIALS_DIRECTORY is not set", "Add LoadCredential= to the daemon's systemd unit.")
        if "/" in ref.origin or ref.origin in ("", ".", ".."):
            raise _error(ref, "a credential's name is a plain file name", "Use the name given in LoadCredential=.")
        return Path(folder) / ref.origin


def _read(ref: SecretRef, path: Path) -> bytes:
    """Read a file that is private enough; what is checked is what is read, a swapped file changes nothing."""
    if not path.is_absolute():
        raise _error(ref, "the path is not absolute", "Give the whole path on the daemon's machine.")
    try:
        # Without O_NONBLOCK a fifo in place of the file would hold up the daemon for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            _require_private(ref, os.fstat(descriptor))
            return os.read(descriptor, MAX_BYTES + 1)
        finally:
            os.close(descriptor)
    except (OSError, ValueError) as error:
        what = error.strerror if isinstance(error, OSError) else "the path is invalid"
        raise _error(ref, str(what), "Create it, readable for the daemon's user.") from error


def _require_private(ref: SecretRef, status: os.stat_result) -> None:
    """Refuse a file that others may read or change.

    The rule: a regular file of root or of the daemon's user; no access for others; the group may read it only when
    root owns it (``root:reconciler 0640``), and may never write it.
    """
    if not stat.S_ISREG(status.st_mode):
        raise _error(ref, "it is no regular file", "Put the secret into a file.")
    if status.st_uid not in (0, os.geteuid()):
        raise _error(ref, "it belongs to another user", "Let root or the daemon's user own it: chown root.")
    if status.st_mode & (0o027 if status.st_uid == 0 else 0o077):
        mode = stat.S_IMODE(status.st_mode)
        raise _error(ref, f"its mode {mode:04o} lets others at it", "chmod 0600, or 0640 when root owns it.")


def _text_of(ref: SecretRef, content: bytes) -> str:
    if len(content) > MAX_BYTES:
        raise _error(ref, f"it is larger than {MAX_BYTES} bytes", "Check that this is the right file.")
    try:
        secret = content.decode()
    except UnicodeDecodeError:
        raise _error(ref, "it is not UTF-8 text", "Check that this is the right file.") from None
    secret = secret.removesuffix("\n").removesuffix("\r")
    if not secret:
        raise _error(ref, "it is empty", "Write the secret into it.")
    if "\0" in secret:
        raise _error(ref, "it contains a NUL character", "Check that this is the right file.")
    return secret


def _error(ref: SecretRef, what: str, hint: str) -> SecretError:
    return SecretError(f"secret {ref.kind} {ref.origin!r}: {what}", reason=Reason.SECRET_MISSING, hint=hint)
