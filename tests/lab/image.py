"""The disk image that every lab host boots from: one Debian root folder, built once and kept in a cache.

`python -m tests.lab.image` builds it if it is not there and prints where it is. The cache is
`$RECONCILER_LAB_CACHE`, else `reconciler-lab` in `$XDG_CACHE_HOME` or `~/.cache`. The name of the image
carries the digest of its recipe, so a changed recipe makes a new image.
"""

import fcntl
import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

HOST = Path(__file__).parent / "host"
PACKAGES = Path(__file__).parent.parent.parent / "scripts" / "debian-packages.sh"
RECIPE = ("packages", "furnish.sh", "containers.conf")
# Debian packages that bring the programs which the lab itself runs on this machine
TOOLS = {"ip": "iproute2", "nsenter": "util-linux", "unshare": "util-linux"}
BUILD_TOOLS = {"mmdebstrap": "mmdebstrap"}
# ends when we are killed, and in namespaces of its own, so that nothing stays mounted or running
ISOLATE = shlex.split(
    "setpriv --pdeathsig=KILL unshare --mount --propagation=private --pid --fork --kill-child=KILL --mount-proc"
)
DPKG_OPTIONS = (
    "force-unsafe-io",
    *(f"path-exclude=/usr/share/{name}/*" for name in ("doc", "man", "locale")),
)
APT_OPTIONS = ('APT::Install-Recommends "0"', 'Acquire::Languages "none"', 'DPkg::Lock::Timeout "30"')


class CannotBuildError(Exception):
    """Says why this machine cannot carry the lab, and what to do."""


def main() -> int:
    """Build the image if it is not there; print its folder."""
    try:
        check_machine()
        install(TOOLS)
        print(ensure())
    except CannotBuildError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def check_machine() -> None:
    """Raise CannotBuildError unless this is Debian and we are root."""
    system = platform.freedesktop_os_release()
    if system["ID"] != "debian":
        raise CannotBuildError(f"the lab needs Debian, this is {system['NAME']}; use a Debian 12 machine")
    if os.geteuid() != 0:
        raise CannotBuildError("the lab needs root for namespaces and mounts; run it as root")


def cache() -> Path:
    """Name the folder that keeps images."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("RECONCILER_LAB_CACHE") or Path(base) / "reconciler-lab").absolute()


def path() -> Path:
    """Name the folder of the image for the present recipe, whether it is there or not."""
    options = "\n".join((*DPKG_OPTIONS, *APT_OPTIONS)).encode()
    recipe = b"\0".join([options, *(HOST.joinpath(name).read_bytes() for name in RECIPE)])
    return cache() / f"{_codename()}-{hashlib.sha256(recipe).hexdigest()[:12]}"


def ensure() -> Path:
    """Return the folder of the image; build it first if it is not there."""
    image = path()
    image.parent.mkdir(parents=True, exist_ok=True)
    with image.parent.joinpath("lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not image.exists():
            _build(image)
    return image


def install(tools: Mapping[str, str]) -> None:
    """Install the Debian packages of those `tools` (program: package) that are not on this machine."""
    _run(str(PACKAGES), *(f"{program}={package}" for program, package in tools.items()))


def _build(image: Path) -> None:
    install(BUILD_TOOLS)
    unfinished = image.with_name("unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    packages = ",".join(HOST.joinpath("packages").read_text().split())
    furnish = shlex.quote(str(HOST / "furnish.sh"))
    print(f"building {image}: one to two minutes, about 550 MB", file=sys.stderr)
    _run(
        *ISOLATE,
        *("mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", "--skip=output/dev"),
        *(f"--dpkgopt={option}" for option in DPKG_OPTIONS),
        *(f"--aptopt={option}" for option in APT_OPTIONS),
        *(f"--include={packages}", f'--customize-hook={furnish} "$1"'),
        *(_codename(), str(unfinished), f"deb {_mirror()} {_codename()} main"),
    )
    unfinished.rename(image)


def _mirror() -> str:
    """Return the mirror that this machine's apt takes Debian's own packages from."""
    if not (mirror := _listed_mirror()):
        _run("apt-get", "-qq", "update")
        mirror = _listed_mirror()
    if not mirror:
        raise CannotBuildError(f"no apt source here offers Debian {_codename()} main; add one to /etc/apt")
    return mirror


def _listed_mirror() -> str | None:
    indexes = _run("apt-get", "indextargets", "--format", "$(ORIGIN) $(CODENAME) $(COMPONENT) $(REPO_URI)")
    wanted = f"Debian {_codename()} main "
    return next((line.removeprefix(wanted) for line in indexes.splitlines() if line.startswith(wanted)), None)


def _codename() -> str:
    return platform.freedesktop_os_release()["VERSION_CODENAME"]


def _run(*command: str) -> str:
    """Run `command` with apt's own proxy; return its output. CannotBuildError carries its last words."""
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    if proxy := _apt_proxy():
        environment["http_proxy"] = proxy
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last_words = "\n".join(done.stderr.splitlines()[-15:])
        raise CannotBuildError(f"{command[0]} ended with {done.returncode}:\n{last_words}")
    return done.stdout


def _apt_proxy() -> str:
    """Return the proxy of this machine's apt, or nothing; mmdebstrap's apt reads the environment only."""
    command = ["apt-config", "shell", "proxy", "Acquire::http::Proxy"]
    setting = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return "".join(shlex.split(setting)).removeprefix("proxy=")


if __name__ == "__main__":
    raise SystemExit(main())
