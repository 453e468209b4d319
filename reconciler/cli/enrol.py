"""`reconciler enrol`: shows the key of a host and pins it, so that the daemon may enter."""

from __future__ import annotations

from pathlib import Path

import typer

from reconciler.cli import world
from reconciler.cli.output import Config, Folder, say
from reconciler.domain.release import near_miss
from reconciler.errors import ReconcilerError


def enrol(
    host: str = typer.Argument(help="A host of the desired state, or with --address any name for it."),
    address: str = typer.Option("", help="Its address, when the desired state does not name it yet."),
    port: int = typer.Option(22, min=1, max=65535, help="Its port, with --address."),
    fingerprint: str = typer.Option("", help="The fingerprint it must show (SHA256:...); nothing is asked then."),
    replace: bool = typer.Option(False, help="Take the new key in place of another that is pinned."),
    yes: bool = typer.Option(False, "--yes", "-y", help="Pin without asking: trust on first use."),
    folder: Path | None = Folder,
    config: Path | None = Config,
) -> None:
    """Show the key of a host and pin it.

    Compare the fingerprint out of band before you say yes.
    """
    settings = world.settings_from(config)
    from reconciler.adapters.known_hosts import Pinned, pin, pinned

    if not address:
        hosts = world.desired_of(settings, folder).hosts
        if host not in hosts:
            hint = f"{near_miss(host, hosts)}; or say --address"
            raise ReconcilerError(f"no host {host!r} in the desired state", reason="UnknownHost", hint=hint)
        address, port = hosts[host].address, hosts[host].port
    key = world.show_key(address, port)
    say(f"{host} ({address} port {port}) shows {key.algorithm} {key.fingerprint}")
    for other in pinned(settings.known_hosts, address, port):
        say(f"pinned is {other.algorithm} {other.fingerprint}")
    if fingerprint and fingerprint != key.fingerprint:
        text = f"{host} shows {key.fingerprint}, not {fingerprint}: nothing was pinned"
        raise ReconcilerError(text, reason="HostKeyChanged", hint="Find out who answers at this address.")
    if not fingerprint and not yes:
        typer.confirm("Is this the fingerprint that the host itself shows?", abort=True, err=True)
    match pin(settings.known_hosts, key, replace=replace):
        case Pinned.DIFFERS:
            hint = "Find out why; if the machine was reinstalled, say --replace."
            raise ReconcilerError(f"another key is pinned for {host}", reason="HostKeyChanged", hint=hint)
        case Pinned.SAME:
            say(f"{host} was pinned with this key already")
        case how:
            say(f"{host} is pinned ({how}) in {settings.known_hosts}")
