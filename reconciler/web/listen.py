"""Takes an address on the network."""

from __future__ import annotations

import socket
import time

from reconciler.errors import SettingsError

PATIENCE_S = 1.0
"""How long an address that is still taken is waited for: the child of a daemon that was killed may be about to end."""


def listen(address: tuple[str, int]) -> socket.socket:
    """Take an address; raises SettingsError."""
    host, port = address
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            return socket.create_server(address, family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        except OSError as error:
            if time.monotonic() > end:
                raise SettingsError(
                    f"cannot listen on {host}:{port}: {error.strerror}",
                    reason="SettingsInvalid",
                    hint="Another daemon may run here; `web.listen` names another port.",
                ) from error
        time.sleep(PATIENCE_S / 20)
