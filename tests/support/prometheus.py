"""A private Prometheus that scrapes itself: loopback, free port, thrown away at the end."""

from __future__ import annotations

import contextlib
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from tests.support.debian import program
from tests.support.net import await_port, free_port

CONF = """\
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: self
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


@contextlib.contextmanager
def running_prometheus(folder: Path) -> Iterator[str]:
    """Start a server that has scraped itself once; yield its URL."""
    port = free_port()
    (folder / "prometheus.yml").write_text(CONF.format(port=port))
    argv = [
        program("prometheus", "prometheus"),
        f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    url = f"http://127.0.0.1:{port}"
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(argv, stdout=log, stderr=log)
    try:
        await_port(port)
        _await_sample(url)
        yield url
    finally:
        server.terminate()
        server.wait(20)


def _await_sample(url: str) -> None:
    for _ in range(300):
        with (
            contextlib.suppress(urllib.error.HTTPError),  # 503 while it starts
            urllib.request.urlopen(f"{url}/api/v1/query?query=up==1", timeout=10) as answer,
        ):
            if b'"self"' in answer.read():
                return
        time.sleep(0.1)
    raise AssertionError("it never scraped itself")
