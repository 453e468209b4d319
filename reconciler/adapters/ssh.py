"""SSH connections: one per host, kept, limited per zone, with pinned host keys and capped answers."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import asyncssh

from reconciler.adapters.known_hosts import offered, trusted
from reconciler.adapters.ssh_errors import LinkError, classify
from reconciler.adapters.ssh_talk import Ending, NotSentError, Talk, exchange
from reconciler.domain.desired import Host
from reconciler.domain.reasons import Reason
from reconciler.errors import SettingsError


@dataclass(frozen=True, slots=True, kw_only=True)
class SshSettings:
    """How hosts are reached. `known_hosts` is the only source of trust: missing or empty, every host is refused.

    `answer_limit` is bytes per question; `grace_s` how long a start waits for a short step's end; `channels_per_host`
    must stay below MaxSessions of sshd_config(5), ten unless set: there is one more, the shell that stays for the next
    questions. Half of them may be held by steps waited for.
    """

    known_hosts: Path
    client_keys: tuple[Path, ...]
    per_zone: int = 20
    channels_per_host: int = 8
    connect_timeout_s: float = 10.0
    login_timeout_s: float = 20.0
    keepalive_interval_s: float = 15.0
    keepalive_count: int = 3
    idle_s: float = 300.0
    answer_timeout_s: float = 60.0
    question_timeout_s: int = 20
    answer_limit: int = 1024 * 1024
    grace_s: float = 0.25
    shell: str = "/bin/sh"


@dataclass(slots=True)
class _Link:
    connection: asyncssh.SSHClientConnection
    channels: asyncio.Semaphore
    shell: asyncssh.SSHClientProcess[bytes] | None = None
    talks: int = 0
    idle: asyncio.TimerHandle | None = None


_PARTING_S = 5.0
# These two cost asyncssh the least, a quarter less for a sweep of the fleet; the leading ^ keeps others behind them.
_CIPHERS = "^aes256-gcm@openssh.com,aes128-gcm@openssh.com"
_Key = tuple[str, int, str]


class Connections:
    """The pool."""

    def __init__(self, settings: SshSettings) -> None:
        self._settings = settings
        self._links: dict[_Key, _Link] = {}
        self._partings: set[asyncio.Task[None]] = set()
        self._locks: defaultdict[_Key, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._zones: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(settings.per_zone))

    def zone(self, host: Host) -> asyncio.Semaphore:
        """Return what limits how many hosts of a zone are talked to at once."""
        return self._zones[host.zone]

    async def talk(self, host: Host, talk: Talk) -> Ending | None:
        """Run a command; None when it said enough. Raises LinkError.

        A kept connection that is dead is replaced once, as long as the request cannot have been sent or is repeatable.
        Nothing stays for what is said first: a host where something else answers may wait for the end of its input.
        """
        link, fresh = await self._link(host)
        try:
            ending = await self._say(host, link, replace(talk, stays=talk.stays and not fresh))
        except NotSentError as error:
            full = link.talks > 1 and not link.connection.is_closed()
            if fresh or full:
                raise classify(host, error.cause) from error
            self._drop(host, link)
        else:
            if ending is None or not ending.lost:
                return ending
            self._drop(host, link)
            if fresh or ending.heard or not talk.repeatable:
                return ending
        link, _ = await self._link(host)
        try:
            return await self._say(host, link, talk)
        except NotSentError as error:
            raise classify(host, error.cause) from error

    async def talk_anew(self, host: Host, talk: Talk) -> Ending | None:
        """Run a command over a connection made for it alone; raises LinkError.

        A kept one would prove nothing: a firewall may let it live and take no new one.
        """
        link = _Link(await self._connect(host), asyncio.Semaphore(1))
        try:
            return await self._say(host, link, talk)
        except NotSentError as error:
            raise classify(host, error.cause) from error
        finally:
            link.connection.close()

    def forget(self, host: Host) -> None:
        """Drop a host's connection, so that the next talk makes a new one."""
        link = self._links.get(_key(host))
        if link:
            self._drop(host, link)

    async def close(self) -> None:
        """Close all connections."""
        links, self._links = list(self._links.values()), {}
        for link in links:
            link.connection.close()
        for link in links:
            with suppress(TimeoutError, OSError, asyncssh.Error):
                await asyncio.wait_for(link.connection.wait_closed(), 2)
            link.connection.abort()
            if link.idle:
                link.idle.cancel()
        await asyncio.gather(*self._partings, return_exceptions=True)

    async def _say(self, host: Host, link: _Link, talk: Talk) -> Ending | None:
        """Say a request to the shell that stays, if it may be and one is there that still listens; else to another."""
        if talk.stays and link.shell:
            shell, link.shell = link.shell, None
            ending = await self._say_to(host, link, talk, shell)
            if ending is None or ending.heard:
                return ending
        return await self._say_to(host, link, talk)

    async def _say_to(
        self, host: Host, link: _Link, talk: Talk, shell: asyncssh.SSHClientProcess[bytes] | None = None
    ) -> Ending | None:
        """Say a request to a new command on a channel that is counted, or to a `shell` that stayed, whose is not."""
        link.talks += 1
        if link.idle:
            link.idle.cancel()
        try:
            if not shell:
                await link.channels.acquire()
        except asyncio.CancelledError:
            self._rest(host, link)
            raise
        process, ending, whole = shell, None, False
        try:
            process = process or await link.connection.create_process(talk.command, encoding=None)
            ending = await exchange(host, process, talk)
            whole = True
        except (OSError, asyncssh.Error) as error:
            raise NotSentError(error) from error
        finally:
            if talk.stays and whole and not ending and not link.shell:
                link.shell, process = process, None
            counted = None if shell else link.channels
            parting = asyncio.create_task(_part(process, counted, kill=talk.repeatable and not whole))
            self._partings.add(parting)
            parting.add_done_callback(self._partings.discard)
            parting.add_done_callback(lambda _: self._rest(host, link))
        return ending

    async def _link(self, host: Host) -> tuple[_Link, bool]:
        """Return the host's connection, and whether it is a new one."""
        async with self._locks[_key(host)]:
            link = self._links.get(_key(host))
            if link and not link.connection.is_closed():
                return link, False
            link = self._links[_key(host)] = _Link(
                await self._connect(host), asyncio.Semaphore(self._settings.channels_per_host)
            )
            return link, True

    async def _connect(self, host: Host) -> asyncssh.SSHClientConnection:
        settings = self._settings
        keys = self._known_keys(host)
        try:
            return await asyncssh.connect(
                host.address,
                host.port,
                username=host.login.user,
                config=None,
                encryption_algs=_CIPHERS,
                known_hosts=keys,
                server_host_key_algs=offered(keys),
                client_keys=self._client_keys(host),
                agent_path=None,
                password=None,
                preferred_auth="publickey",
                gss_host=None,
                connect_timeout=settings.connect_timeout_s,
                login_timeout=settings.login_timeout_s,
                keepalive_interval=settings.keepalive_interval_s,
                keepalive_count_max=settings.keepalive_count,
            )
        except (OSError, asyncssh.Error) as error:
            raise classify(host, error) from error

    def _known_keys(self, host: Host) -> tuple[Any, ...]:
        try:
            keys = trusted(self._settings.known_hosts, host.address, host.port)
        except (SettingsError, OSError, UnicodeDecodeError) as error:
            raise LinkError(Reason.HOST_KEY_UNKNOWN, str(error)) from error
        if not (keys[0] or keys[1]):
            text = f"{host.name}: no key of {host.address} port {host.port} is pinned in {self._settings.known_hosts}"
            raise LinkError(Reason.HOST_KEY_UNKNOWN, text)
        return keys

    def _client_keys(self, host: Host) -> list[asyncssh.SSHKey]:
        try:
            return [asyncssh.read_private_key(file) for file in self._settings.client_keys]
        except (OSError, asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
            text = f"{host.name}: the daemon's own key cannot be read: {error}"
            raise LinkError(Reason.HOST_AUTH_REFUSED, text) from error

    def _drop(self, host: Host, link: _Link) -> None:
        if self._links.get(_key(host)) is link:
            del self._links[_key(host)]
        link.connection.abort()

    def _rest(self, host: Host, link: _Link) -> None:
        """Close a connection that nobody used for long."""
        link.talks -= 1
        if not link.talks:
            link.idle = asyncio.get_running_loop().call_later(self._settings.idle_s, self._drop, host, link)


async def _part(
    process: asyncssh.SSHClientProcess[bytes] | None, counted: asyncio.Semaphore | None, *, kill: bool
) -> None:
    """Give a channel back when what ran in it has ended on the host: until then sshd counts it."""
    try:
        if process:
            with suppress(OSError, TimeoutError):
                if kill:
                    process.terminate()
                process.stdin.write_eof()
                await asyncio.wait_for(process.wait_closed(), _PARTING_S)
            process.close()
    finally:
        if counted:
            counted.release()


def _key(host: Host) -> _Key:
    return host.address, host.port, host.login.user
