"""A flat apt repository, built on the fly: what the hosts install, upgrade and downgrade.

Every package is a small service with what makes upgrades interesting: a daemon that says in
/run/NAME/version, and over HTTP, which version runs; a unit; a configuration file of its own, in sh, where `port` may
be set; the installed version in /usr/share/NAME/version; and a postinst that runs /usr/local/sbin/NAME-postinst
first, when a test has put that there.
"""

import gzip
import hashlib
import shutil
import subprocess
from pathlib import Path

DEMO = "demo-service"
DEMO_VERSIONS = ("1.0-1", "1.1-1", "2.0-1")

CONTROL = """\
Package: {name}
Version: {version}
Architecture: all
Maintainer: The lab <lab@example.org>
Description: a small service of the lab
"""
DAEMON = """\
#!/bin/sh
echo {version} >/run/{name}/version
port=8080
. /etc/{name}/{name}.conf
exec busybox httpd -f -p "$port" -h /run/{name}
"""
UNIT = """\
[Unit]
Description={name} {version}
[Service]
RuntimeDirectory={name}
ExecStart=/usr/bin/{name}
Restart=on-failure
[Install]
WantedBy=multi-user.target
"""
# what debhelper's dh_installsystemd writes, in short
POSTINST = """\
#!/bin/sh
set -e
[ ! -x /usr/local/sbin/{name}-postinst ] || /usr/local/sbin/{name}-postinst "$@"
[ "$1" = configure ] && [ -d /run/systemd/system ] || exit 0
systemctl daemon-reload
systemctl --quiet enable {name}.service || :
deb-systemd-invoke "$([ -n "$2" ] && echo restart || echo start)" {name}.service || :
"""
PRERM = """\
#!/bin/sh
set -e
[ "$1" != remove ] || [ ! -d /run/systemd/system ] || deb-systemd-invoke stop {name}.service
"""
POSTRM = """\
#!/bin/sh
set -e
[ ! -d /run/systemd/system ] || systemctl daemon-reload
"""
FILES = {
    "DEBIAN/control": CONTROL,
    "DEBIAN/conffiles": "/etc/{name}/{name}.conf\n",
    "DEBIAN/postinst": POSTINST,
    "DEBIAN/prerm": PRERM,
    "DEBIAN/postrm": POSTRM,
    "etc/{name}/{name}.conf": "# configuration of {name} {version}\n",
    "lib/systemd/system/{name}.service": UNIT,
    "usr/bin/{name}": DAEMON,
    "usr/share/{name}/version": "{version}\n",
}


def publish(repository: Path, name: str, *versions: str) -> None:
    """Build the versions of a package into the folder `repository`, and renew its index."""
    repository.mkdir(parents=True, exist_ok=True)
    for version in versions:
        _build(repository, name, version)
    index = "\n".join(_entry(package) for package in sorted(repository.glob("*.deb"))).encode()
    indexes = {"Packages": index, "Packages.gz": gzip.compress(index, mtime=0)}
    for file, content in indexes.items():
        (repository / file).write_bytes(content)
    digests = "".join(f" {hashlib.sha256(c).hexdigest()} {len(c)} {file}\n" for file, c in indexes.items())
    (repository / "Release").write_text(f"Origin: lab\nLabel: lab\nSuite: lab\nCodename: lab\nSHA256:\n{digests}")


def _build(repository: Path, name: str, version: str) -> None:
    tree = repository / "unpacked"
    for path, text in FILES.items():
        file = tree / path.format(name=name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.format(name=name, version=version))
        file.chmod(0o755 if text.startswith("#!") else 0o644)
    package = repository / f"{name}_{version.replace(':', '%3a')}_all.deb"
    subprocess.run(
        ["dpkg-deb", "-Zgzip", "--root-owner-group", "--build", tree, package],
        check=True,
        capture_output=True,
    )
    shutil.rmtree(tree)


def _entry(package: Path) -> str:
    """Describe a package as the index does: its control file, and how to fetch it."""
    control = subprocess.run(["dpkg-deb", "--field", package], check=True, capture_output=True, text=True).stdout
    content = package.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    return f"{control}Filename: ./{package.name}\nSize: {len(content)}\nSHA256: {digest}\n"
