"""`reconciler enrol`: shows the key of a host and pins it, so that the daemon may enter."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from reconciler.cli import world
from reconciler.cli.output import Config, Folder, say, usage
from reconciler.domain.desired import Host
from reconciler.domain.reasons import Reason, hint_of
from reconciler.domain.release import near_miss
from reconciler.errors import ReconcilerError
from reconciler.ports import Unreachable

if TYPE_CHECKING:
    from reconciler.settings import Settings


def enrol(
    host: str = typer.Argument(help="A host of the desired state, or with --address any name for it."),
    address: str = typer.Option("", help="Its address, when the desired state does not name it yet."),
    port: int = typer.Option(22, min=1, max=65535, help="Its port, with --address."),
    fingerprint: str = typer.Option("", help="The fingerprint it must show (SHA256:...); nothing is asked then."),
    replace: bool = typer.Option(False, help="Take the new key in place of another that is pinned."),
    sudoers: bool = typer.Option(False, "--sudoers", help="Only print what its sudoers must say for the login user."),
    yes: bool = typer.Option(False, "--yes", "-y", help="Pin without asking: trust on first use."),
    folder: Path | None = Folder,
    config: Path | None = Config,
) -> None:
    """Show the key of a host and pin it.

    Compare the fingerprint out of band before you say yes. Where the login becomes root by sudo, it is tried.
    """
    settings = world.settings_from(config)
    known = None if address else _known(host, world.desired_of(settings, folder).hosts)
    if sudoers:
        _print_sudoers(known)
        return
    place = known or Host(name=host, address=address, port=port)
    _pin(settings, place, fingerprint, replace=replace, ask=not yes)
    if known and known.login.become == "sudo":
        _check_sudo(settings, known)


def _known(host: str, hosts: Mapping[str, Host]) -> Host:
    if host not in hosts:
        hint = f"{near_miss(host, hosts)}; or say --address"
        raise ReconcilerError(f"no host {host!r} in the desired state", reason="UnknownHost", hint=hint)
    return hosts[host]


def _print_sudoers(host: Host | None) -> None:
    from reconciler.adapters.sudo import sudoers

    if host is None or host.login.become != "sudo":
        usage("--sudoers wants a host of the desired state with `login: {user: NAME, become: sudo}`")
    typer.echo(sudoers(host.login.user), nl=False)


def _check_sudo(settings: Settings, host: Host) -> None:
    """Enter the host as the daemon will; raises ReconcilerError when the login may not become root."""
    found = world.greet(settings, [host])[host.name]
    if isinstance(found, Unreachable):
        raise ReconcilerError(found.text, reason=found.reason, hint=hint_of(Reason(found.reason), host=host.name))
    say(f"{host.login.user} becomes root there by sudo")
    if found:
        say(f"note: {found}; `reconciler enrol {host.name} --sudoers` prints what is needed")


def _pin(settings: Settings, place: Host, fingerprint: str, *, replace: bool, ask: bool) -> None:
    from reconciler.adapters.known_hosts import Pinned, pin, pinned

    host, address, port = place.name, place.address, place.port
    key = world.show_key(address, port)
    say(f"{host} ({address} port {port}) shows {key.algorithm} {key.fingerprint}")
    for other in pinned(settings.known_hosts, address, port):
        say(f"pinned is {other.algorithm} {other.fingerprint}")
    if fingerprint and fingerprint != key.fingerprint:
        text = f"{host} shows {key.fingerprint}, not {fingerprint}: nothing was pinned"
        raise ReconcilerError(text, reason="HostKeyChanged", hint="Find out who answers at this address.")
    if not fingerprint and ask:
        typer.confirm("Is this the fingerprint that the host itself shows?", abort=True, err=True)
    match pin(settings.known_hosts, key, replace=replace):
        case Pinned.DIFFERS:
            hint = "Find out why; if the machine was reinstalled, say --replace."
            raise ReconcilerError(f"another key is pinned for {host}", reason="HostKeyChanged", hint=hint)
        case Pinned.SAME:
            say(f"{host} was pinned with this key already")
        case how:
            say(f"{host} is pinned ({how}) in {settings.known_hosts}")
