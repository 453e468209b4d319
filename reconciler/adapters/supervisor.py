"""Tells systemd, or whoever started the daemon like it, that the daemon is ready and that its loop still turns."""

from __future__ import annotations

import socket
from contextlib import suppress
from dataclasses import dataclass

READY, BEAT = b"READY=1", b"WATCHDOG=1"


@dataclass(frozen=True, slots=True)
class Supervisor:
    """Whoever listens at `address`, the protocol's socket (sd_notify(3)); empty when nobody does."""

    address: str = ""

    def ready(self) -> None:
        """Say that the daemon serves, whether it leads or stands by."""
        self._say(READY)

    def beat(self) -> None:
        """Say that the loop turns; without that in time systemd ends the daemon and starts it anew."""
        self._say(BEAT)

    def _say(self, word: bytes) -> None:
        """A supervisor that cannot be told must not keep the daemon from its work."""
        if not self.address:
            return
        where = "\0" + self.address[1:] if self.address.startswith("@") else self.address
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
            end.setblocking(False)
            end.sendto(word, where)
