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
RECIPE = ("packages", "furnish.sh", "containers.conf")
# Debian packages that bring the programs which the lab itself runs on this machine
TOOLS = {"ip": "iproute2", "nsenter": "util-linux", "unshare": "util-linux"}
BUILD_TOOLS = {"mmdebstrap": "mmdebstrap"}
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
        print(f"test-lab: {error}", file=sys.stderr)
        return 1
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
    recipe = b"\0".join([*(HOST.joinpath(name).read_bytes() for name in RECIPE), *_options()])
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
    missing = sorted({package for program, package in tools.items() if not shutil.which(program)})
    if missing:
        _run("apt-get", "-qq", "update")
        _run("apt-get", "-qq", "-y", "--no-install-recommends", "install", *missing)


def _build(image: Path) -> None:
    install(BUILD_TOOLS)
    unfinished = image.with_name("unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    options = [f"--dpkgopt={option}" for option in DPKG_OPTIONS] + [
        f"--aptopt={option}" for option in APT_OPTIONS
    ]
    packages = ",".join(HOST.joinpath("packages").read_text().split())
    print(f"building {image}: one to two minutes, about 550 MB", file=sys.stderr)
    # ends when we are killed, and in namespaces of its own, so nothing stays mounted or running
    _run(
        *("setpriv", "--pdeathsig=KILL"),
        *(
            "unshare",
            "--mount",
            "--propagation=private",
            "--pid",
            "--fork",
            "--kill-child=KILL",
            "--mount-proc",
        ),
        *("mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", "--skip=output/dev", *options),
        *(f"--include={packages}", f'--customize-hook={shlex.quote(str(HOST / "furnish.sh"))} "$1"'),
        *(_codename(), str(unfinished), f"deb {_mirror()} {_codename()} main"),
    )
    unfinished.rename(image)


def _mirror() -> str:
    """Return the mirror that this machine's apt takes Debian's own packages from."""
    for refresh in (False, True):
        if refresh:
            _run("apt-get", "-qq", "update")
        for line in _run(
            "apt-get", "indextargets", "--format", "$(ORIGIN) $(RELEASE) $(COMPONENT) $(REPO_URI)"
        ).split("\n"):
            if line.startswith(f"Debian {_codename()} main "):
                return line.split()[-1]
    raise CannotBuildError(
        f"no apt source of this machine offers Debian {_codename()} main; add one to /etc/apt"
    )


def _codename() -> str:
    return platform.freedesktop_os_release()["VERSION_CODENAME"]


def _options() -> list[bytes]:
    return [option.encode() for option in (*DPKG_OPTIONS, *APT_OPTIONS)]


def _run(*command: str) -> str:
    """Run `command` with apt's own proxy; return its output. CannotBuildError carries its last words."""
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    proxy = subprocess.run(
        ["apt-config", "shell", "P", "Acquire::http::Proxy"], capture_output=True, text=True, check=True
    )
    if proxy.stdout:
        environment["http_proxy"] = proxy.stdout.partition("=")[2].strip().strip("'")
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last_words = "\n".join(done.stderr.splitlines()[-15:])
        raise CannotBuildError(f"{command[0]} ended with {done.returncode}:\n{last_words}")
    return done.stdout


if __name__ == "__main__":
    raise SystemExit(main())
