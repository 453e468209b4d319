"""A bare copy of one branch of the remote repository, kept on the daemon's machine."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pygit2
from pygit2.credentials import Keypair, Username, UserPass
from pygit2.enums import CredentialType, RepositoryOpenFlag
from pygit2.remotes import TransferProgress

from reconciler.adapters.git_pack import repack
from reconciler.domain.text import one_line

SEEN = "refs/heads/seen"  # the newest commit fetched; keeps history here, so that a poll transfers only what is new
_NEW = "refs/fetch/new"

BROKEN = (pygit2.GitError, KeyError, ValueError, OSError)
"""What pygit2 raises for repositories that cannot be read."""

_settings = threading.Lock()  # libgit2's settings belong to the whole process


@dataclass(frozen=True, slots=True, kw_only=True)
class GitAccess:
    """How the remote is entered, and how long that may take.

    An SSH server's key must stand in `known_hosts` (OpenSSH's format; without the file no server is trusted).
    `password` is for https only.
    """

    ssh_key: Path | None = None
    passphrase: str = field(default="", repr=False)
    known_hosts: Path | None = None
    username: str = ""
    password: str = field(default="", repr=False)
    connect_timeout_s: float = 15
    timeout_s: float = 120
    max_bytes: int = 512 << 20  # of one fetch


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why nothing could be fetched, and what to do about it."""

    text: str
    hint: str = ""


class _RefusedError(Exception):
    """Raised in a callback of libgit2 to end a fetch."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.text)
        self.trouble = trouble


class Mirror:
    """The copy at `path`, which is ours alone; beside it lies `<path>.home`, the only home libgit2 may know."""

    def __init__(self, path: Path, url: str, branch: str, access: GitAccess) -> None:
        self.path = path
        self.url = url
        self._branch = branch
        self._access = access
        self._busy = threading.Lock()

    def fetch(self) -> Trouble | None:
        """Bring the newest commit of the branch here; a mirror that cannot be opened is made anew."""
        old = _beside(self.path, "old")
        if not self.path.exists() and old.exists():  # killed between the two renames of `renew`
            old.rename(self.path)
        with self.opened() as repository:
            if repository is not None:
                return self._guarded(repository)
        return self.renew()

    def renew(self) -> Trouble | None:
        """Clone from scratch, and put the copy in place only when it is complete."""
        new, old = _beside(self.path, "new"), _beside(self.path, "old")
        try:
            shutil.rmtree(new, ignore_errors=True)
            new.parent.mkdir(parents=True, exist_ok=True)
            with _freed(pygit2.init_repository(str(new), bare=True)) as repository:
                trouble = self._guarded(repository)
            if trouble is None:
                shutil.rmtree(old, ignore_errors=True)
                if self.path.exists():
                    self.path.rename(old)
                new.rename(self.path)
                shutil.rmtree(old, ignore_errors=True)
        except BROKEN as error:
            return Trouble(f"cannot write the mirror {self.path}: {error}", "Check space and permissions there.")
        return trouble

    @contextmanager
    def opened(self) -> Iterator[pygit2.Repository | None]:
        """Open the mirror; None when there is none that can be opened."""
        try:
            repository = pygit2.Repository(str(self.path), RepositoryOpenFlag.NO_SEARCH)
        except BROKEN:
            yield None
            return
        with _freed(repository):
            yield repository

    def check(self, repository: pygit2.Repository) -> str:
        """Return the newest commit fetched, "" if none was; raises one of BROKEN when its history has holes."""
        if SEEN not in repository.references:
            return ""
        head = repository.references[SEEN].target
        for _ in repository.walk(head):
            pass
        return str(head)

    def _guarded(self, repository: pygit2.Repository) -> Trouble | None:
        if not self._busy.acquire(blocking=False):
            return Trouble(f"an earlier fetch from {self.shown_url} still hangs", "Check the network to the remote.")
        try:
            return self._fetch(repository)
        except _RefusedError as refused:
            return refused.trouble
        except BROKEN as error:
            return Trouble(f"cannot fetch {self._branch} from {self.shown_url}: {self._clean(str(error))}")
        finally:
            self._busy.release()

    def _fetch(self, repository: pygit2.Repository) -> Trouble | None:
        if scheme := _refused_scheme(self.url):
            return Trouble(f"{scheme} is not followed: it proves nothing about the server", "Use https, ssh or a file.")
        with _settings:
            self._configure()
            remote = repository.remotes.create_anonymous(self.url)
            if _NEW in repository.references:
                repository.references.delete(_NEW)
            remote.fetch([f"+refs/heads/{self._branch}:{_NEW}"], callbacks=_Callbacks(self._access, self.shown_url))
            if _NEW not in repository.references:
                return self._missing(repository)
        repository.references.create(SEEN, repository.references[_NEW].target, force=True)
        with suppress(*BROKEN):  # what cannot be packed is not needed to be; a damaged mirror is found when it is read
            repack(repository)
        return None

    def _missing(self, repository: pygit2.Repository) -> Trouble:
        """Say which branches there are instead."""
        remote = repository.remotes.create_anonymous(self.url)
        heads = remote.list_heads(callbacks=_Callbacks(self._access, self.shown_url))
        names = sorted(h.name.removeprefix("refs/heads/") for h in heads if h.name and h.name.startswith("refs/heads/"))
        if not names:
            return Trouble(f"{self.shown_url} is empty", f"Push a first commit to the branch {self._branch}.")
        return Trouble(
            f"{self.shown_url} has no branch {self._branch}; it has {self._clean(', '.join(names[:10]))}",
            "Restore the branch or correct its name in the daemon's settings; no other branch is followed.",
        )

    def _configure(self) -> None:
        """Point libgit2 at our own known_hosts file and bound its waiting."""
        home = _beside(self.path, "home")
        (home / ".ssh").mkdir(parents=True, exist_ok=True, mode=0o700)
        pinned = self._access.known_hosts
        content = pinned.read_bytes() if pinned and pinned.exists() else b""
        (home / ".ssh" / "known_hosts").write_bytes(content)
        pygit2.settings.homedir = str(home)
        pygit2.settings.server_connect_timeout = int(self._access.connect_timeout_s * 1000)
        pygit2.settings.server_timeout = int(self._access.timeout_s * 1000)

    @property
    def shown_url(self) -> str:
        """The URL without the password that somebody may have put into it."""
        parts = urlsplit(self.url)
        return self.url.replace(f":{parts.password}@", ":***@") if parts.password else self.url

    def _clean(self, text: str) -> str:
        secrets = (urlsplit(self.url).password, self._access.password, self._access.passphrase)
        for secret in filter(None, secrets):
            text = text.replace(secret, "***")
        return one_line(text, 500)


class _Callbacks(pygit2.RemoteCallbacks):
    """What libgit2 asks during a fetch: credentials, trust, and whether to go on."""

    def __init__(self, access: GitAccess, url: str) -> None:
        super().__init__()
        self._access = access
        self._url = url
        self._offered: set[CredentialType] = set()
        self._end = time.monotonic() + access.timeout_s

    def credentials(
        self, url: str, username_from_url: str | None, allowed_types: CredentialType
    ) -> Keypair | Username | UserPass:
        access = self._access
        user = username_from_url or access.username or "git"
        if allowed_types & CredentialType.SSH_KEY and access.ssh_key:
            self._once(CredentialType.SSH_KEY, f"refuses the key {access.ssh_key}")
            return Keypair(user, None, str(access.ssh_key), access.passphrase)
        if allowed_types & CredentialType.USERNAME:
            self._once(CredentialType.USERNAME, f"refuses the user {user}")
            return Username(user)
        if allowed_types & CredentialType.USERPASS_PLAINTEXT and access.password and url.startswith("https://"):
            self._once(CredentialType.USERPASS_PLAINTEXT, "refuses user and password")
            return UserPass(access.username or user, access.password)
        kind = "an SSH key" if allowed_types & CredentialType.SSH_KEY else "a password"
        raise _RefusedError(
            Trouble(f"{self._url} asks for {kind} and none may be sent", "Configure it; passwords need https.")
        )

    def certificate_check(self, certificate: None, valid: bool, host: bytes) -> bool:
        # pygit2's own callback accepts every SSH host key; libgit2 has compared it with known_hosts and says so here.
        if valid:
            return True
        name = host.decode("utf-8", "replace")
        if self._url.startswith("https://"):
            hint = "Check the server's certificate and this machine's certificate authorities."
            raise _RefusedError(Trouble(f"the certificate of {name} is not valid", hint))
        hint = f"Compare the key out of band, then put it into {self._access.known_hosts or 'a known_hosts file'}."
        raise _RefusedError(Trouble(f"the SSH host key of {name} is not the one in known_hosts", hint))

    def sideband_progress(self, string: str) -> None:
        self._go_on()

    def transfer_progress(self, stats: TransferProgress) -> None:
        self._go_on()
        if stats.received_bytes > self._access.max_bytes:
            text = f"{self._url} sends more than {self._access.max_bytes} bytes"
            raise _RefusedError(Trouble(text, "A desired-state repository is small; use one of its own."))

    def _go_on(self) -> None:
        if time.monotonic() > self._end:
            raise _RefusedError(Trouble(f"fetching from {self._url} takes longer than {self._access.timeout_s:g} s"))

    def _once(self, kind: CredentialType, text: str) -> None:
        if kind in self._offered:  # libgit2 asks for ever
            raise _RefusedError(Trouble(f"{self._url} {text}", "Install the daemon's credentials at the remote."))
        self._offered.add(kind)


@contextmanager
def _freed(repository: pygit2.Repository) -> Iterator[pygit2.Repository]:
    """Give up the handles at the end: libgit2 keeps packs by path for the whole process, also of a replaced mirror."""
    try:
        yield repository
    finally:
        repository.free()


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(f"{path.name}.{suffix}")


def _refused_scheme(url: str) -> str:
    scheme = urlsplit(url).scheme if "://" in url else ""
    return "" if scheme in {"", "file", "http", "https", "ssh"} else f"{scheme}://"
