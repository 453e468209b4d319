"""The daemon's side: it listens to nobody on the network, and answers the process that does."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingUnixStreamServer
from threading import Event, Thread
from typing import Protocol

import structlog

from reconciler.errors import SettingsError
from reconciler.web.line import answer
from reconciler.web.listen import listen
from reconciler.web.pages import Pages

log = structlog.get_logger()

AGAIN_S = 1.0
"""How long after its end a child is started anew."""

_SILENT_S = 60
_HEADROOM = 107  # bytes of a socket's path, as in unix(7)


class Serving(Protocol):
    """What serves until it is closed."""

    def close(self) -> None:
        """Serve no more."""
        ...


class Child:
    """Keeps a child that serves the network: it inherits two sockets, and neither environment nor anything else."""

    def __init__(self, address: tuple[str, int], pages: Pages) -> None:
        self._address, self._pages = address, pages
        self._listening = listen(address)
        self._closed = Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = Thread(target=self._keep, name="web", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the child."""
        self._closed.set()
        if self._process is not None:
            self._process.kill()
        self._thread.join(AGAIN_S)

    def _keep(self) -> None:
        while not self._closed.is_set():
            self._live()
            if not self._closed.wait(AGAIN_S):
                log.warning("web", text="the process that serves /metrics has ended; another one is started")
                self._listen_again()

    def _live(self) -> None:
        """Start a child and answer it to its end."""
        ours, theirs = socket.socketpair()
        with ours, theirs:
            given = (self._listening.fileno(), theirs.fileno())
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-m", "reconciler.web.front", *map(str, given)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                pass_fds=given,
                env={},
                cwd="/",
            )
            self._listening.close()
            theirs.close()
            try:
                with ours.makefile("rwb") as stream:
                    answer(stream, self._pages.page)
            except OSError as error:
                log.warning("web", text=f"the process that serves /metrics went: {error}")
            self._process.kill()
            self._process.communicate()

    def _listen_again(self) -> None:
        while not self._closed.wait(AGAIN_S):
            try:
                self._listening = listen(self._address)
            except SettingsError as error:
                log.warning("web", text=str(error), hint=error.hint)
            else:
                return


class Apart:
    """Answers a process of another user, `reconciler web`, on a socket in the file system."""

    def __init__(self, path: Path, pages: Pages) -> None:
        class Handler(StreamRequestHandler):
            timeout = _SILENT_S

            def handle(self) -> None:
                try:
                    answer(self.connection.makefile("rwb"), pages.page)
                except OSError:
                    return

        try:
            path.unlink(missing_ok=True)
            self._server = ThreadingUnixStreamServer(str(path), Handler)
            path.chmod(0o666)  # what is asked here is shown to everybody
        except OSError as error:
            raise SettingsError(
                f"cannot answer at {path}: {error.strerror or error}",
                reason="SettingsInvalid",
                hint=f"`web.socket` names a place that the daemon may write to, of at most {_HEADROOM} characters.",
            ) from error
        self._server.daemon_threads = True
        self._path = path
        Thread(target=self._server.serve_forever, name="web", daemon=True).start()

    def close(self) -> None:
        """Take the socket away."""
        self._server.shutdown()
        self._server.server_close()
        self._path.unlink(missing_ok=True)
