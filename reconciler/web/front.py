"""The process that serves the network. It holds no key, can open no file, and asks the daemon for pages by their names.

Of what a client sends only the path is looked at, and of that only whether it is the name of a page.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from threading import Lock, Thread
from typing import IO

from reconciler.web.confine import confine
from reconciler.web.line import NAMES, Page, Stream, ask

CLIENT_S = 10
"""Seconds that a client may keep a thread waiting."""

DAEMON_S = 20
"""Seconds that the daemon may take for a page."""

Connect = Callable[[], socket.socket]


class Asker:
    """Asks the daemon, one page at a time; a line that is broken is made anew."""

    def __init__(self, connect: Connect) -> None:
        self._connect, self._lock = connect, Lock()
        self._stream: Stream | None = None

    def page(self, name: str) -> Page:
        """Return a page, or one that says that the daemon does not answer."""
        with self._lock:
            for _ in range(2):
                try:
                    return self._asked(name)
                except OSError:
                    self._stream = None
        return Page(503, b"the daemon does not answer\n")

    def _asked(self, name: str) -> Page:
        if self._stream is None:
            line = self._connect()
            line.settimeout(DAEMON_S)
            self._stream = line.makefile("rwb")
        return ask(self._stream, name)


class _Handler(BaseHTTPRequestHandler):
    timeout = CLIENT_S
    server: _Server

    def do_GET(self) -> None:
        """Send a page."""
        name = self.path.partition("?")[0].removeprefix("/")
        if name in NAMES:
            self._send(self.server.asker.page(name))
        else:
            self._send(Page(404, b"there are /metrics, /livez and /readyz\n"))

    do_HEAD = do_GET  # noqa: N815 - the name that the server looks for

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Repeat nothing of what the client sent; a method that is none of ours is not implemented, in HTTP's words."""
        del message, explain
        self._send(Page(405, b"only GET\n") if code == 501 else Page(code, b"this is no request\n"))

    def _send(self, page: Page) -> None:
        self.send_response(page.code)
        self.send_header("Content-Type", page.kind)
        self.send_header("Content-Length", str(len(page.body)))
        self.send_header("X-Content-Type-Options", "nosniff")  # what looks like HTML in a page of text is none
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(page.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Scrapes are not worth a line."""

    def version_string(self) -> str:
        """Tell nobody which Python this is."""
        return "reconciler"


class _Server(ThreadingMixIn, TCPServer):
    daemon_threads = True

    def __init__(self, listening: socket.socket, asker: Asker) -> None:
        self.asker = asker
        super().__init__(("", 0), _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listening

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes in mid-answer is nobody's trouble."""


def serve(listening: socket.socket, connect: Connect, *, parent: IO[bytes] | None = None) -> None:
    """Give up all rights, then serve for ever; or until `parent`, which the daemon holds open, ends with it."""
    if trouble := confine():
        sys.stderr.write(f"web: not confined: {trouble}\n")
    if parent is not None:
        Thread(target=_end_with, args=(parent,), daemon=True).start()
    _Server(listening, Asker(connect)).serve_forever()


def as_child(listening: int, line: int) -> None:
    """Serve on descriptors that the daemon gave. One whose line is broken ends: the daemon starts another."""
    lines = [socket.socket(fileno=line)]
    connect: Connect = lambda: lines.pop() if lines else os._exit(1)  # noqa: E731
    serve(socket.socket(fileno=listening), connect, parent=sys.stdin.buffer)


def _end_with(parent: IO[bytes]) -> None:
    parent.read(1)
    os._exit(0)


if __name__ == "__main__":
    as_child(*map(int, sys.argv[1:]))
