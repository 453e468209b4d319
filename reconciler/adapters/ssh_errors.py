"""Why a host could not be reached: from asyncssh's errors to reason codes, in one table."""

from __future__ import annotations

import asyncssh

from reconciler.domain.desired import Host
from reconciler.domain.reasons import Reason
from reconciler.domain.text import one_line


class LinkError(Exception):
    """A host could not be reached or its answer not be had; stays within the adapter."""

    def __init__(self, reason: Reason, text: str) -> None:
        super().__init__(text)
        self.reason = reason
        self.text = text


def classify(host: Host, error: Exception) -> LinkError:
    """Say why a host could not be reached: anything that the table does not name is Unreachable."""
    where = f"{host.name}: {host.login.user}@{host.address} port {host.port}"
    text = one_line(f"{where}: {str(error) or type(error).__name__}", 400)
    for kinds, reason in _REASONS:
        if isinstance(error, kinds):
            return LinkError(reason, text)
    return LinkError(Reason.HOST_UNREACHABLE, text)


_REASONS: tuple[tuple[type[Exception], Reason], ...] = (
    (asyncssh.HostKeyNotVerifiable, Reason.HOST_KEY_CHANGED),
    (asyncssh.PermissionDenied, Reason.HOST_AUTH_REFUSED),
    (asyncssh.PasswordChangeRequired, Reason.HOST_AUTH_REFUSED),
    (asyncssh.IllegalUserName, Reason.HOST_AUTH_REFUSED),
)
