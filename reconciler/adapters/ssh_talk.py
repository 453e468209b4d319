"""What is said to one command on a host, and how it ended; sent over any connection."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import asyncssh

from reconciler.adapters.ssh_errors import LinkError
from reconciler.domain.desired import Host
from reconciler.domain.reasons import Reason
from reconciler.domain.text import clean_text


@dataclass(frozen=True, slots=True)
class Talk:
    """One command on a host: what it reads, who hears what it says (True: enough), and how many bytes it may say.

    `repeatable`: may be said again on a new connection when a kept one turns out dead. `stays`: the command goes on
    when it has said enough, and reads what is said next.
    """

    command: str
    request: bytes
    hear: Callable[[bytes], bool]
    limit: int
    repeatable: bool
    stays: bool = False


@dataclass(frozen=True, slots=True)
class Ending:
    """How a command ended without saying all, after `heard` bytes: exit status None means nobody can tell.

    `lost`: the link is gone, and with it all else that was said over it.
    """

    status: int | None
    errors: str
    heard: int
    lost: bool = False


class NotSentError(Exception):
    """No channel could be opened; the request did not leave this machine."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause))
        self.cause = cause


async def exchange(host: Host, process: asyncssh.SSHClientProcess[bytes], talk: Talk) -> Ending | None:
    """Say the request and hear the answer; a link lost in mid-answer raises nothing in asyncssh, the status is None."""
    heard = 0
    try:
        with suppress(OSError):  # a host may have ended the command already; what it said tells why
            process.stdin.write(talk.request)
            if not talk.stays:
                process.stdin.write_eof()
        while chunk := await process.stdout.read(65536):
            heard += len(chunk)
            if heard > talk.limit:
                process.kill()
                raise LinkError(Reason.HOST_OUTPUT_INVALID, f"{host.name}: answered with more than {talk.limit} bytes")
            if talk.hear(chunk):
                return None
        await process.wait_closed()
        errors = await process.stderr.read(4096)
    except (OSError, asyncssh.Error) as error:
        return Ending(None, str(error), heard, lost=True)
    if process.exit_signal:
        return Ending(None, f"the command was ended by signal {process.exit_signal[0]}", heard)
    lost = process.exit_status is None
    return Ending(process.exit_status, clean_text(errors, 400).strip(), heard, lost)
