"""`reconciler web`: what serves the network, as a service of its own."""

from __future__ import annotations

import re
from pathlib import Path

import typer

from reconciler.cli.output import usage


def web(
    listen: str = typer.Option("127.0.0.1:9105", help="Address and port, like 127.0.0.1:9105 or [::1]:9105."),
    socket: Path = typer.Option(Path("/run/reconciler/web.sock"), help="Where the daemon answers: its `web.socket`."),
) -> None:
    """Serve /metrics, /livez and /readyz for a daemon.

    For a daemon with `web.socket` in its settings, under a user that can read neither settings nor keys nor store.
    """
    import socket as sockets

    from reconciler.web.front import serve
    from reconciler.web.listen import listen as taken

    found = re.fullmatch(r"\[?([^\]]+?)\]?:(\d{1,5})", listen)
    if not found:
        usage("--listen wants ADDRESS:PORT")

    def connected() -> sockets.socket:
        line = sockets.socket(sockets.AF_UNIX)
        line.connect(str(socket))
        return line

    serve(taken((found[1], int(found[2]))), connected)
