"""A private Prometheus that scrapes itself: loopback, free port, thrown away at the end."""

from __future__ import annotations

import contextlib
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

from tests.support.debian import program
from tests.support.net import await_port, free_port

CONF = """\
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [{folder}/rules.yml]
scrape_configs:
  - job_name: self
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
  - job_name: gauge
    static_configs: [{{targets: [{gauge}]}}]
"""
RULES = """\
groups:
  - name: tests
    rules:
      - {alert: FleetIsIll, expr: ill == 1, labels: {severity: critical}}
      - {alert: Watchdog, expr: "ill >= 0"}
"""


class Gauge:
    """A target with one metric, `ill`; where it is 1, the alert FleetIsIll fires, and once it is known, Watchdog."""

    def __init__(self, value: int) -> None:
        self.value = value
        self.server = HTTPServer(("127.0.0.1", 0), self._handler())
        Thread(target=self.server.serve_forever, daemon=True).start()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        gauge = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.end_headers()
                self.wfile.write(f"ill {gauge.value}\n".encode())

            def log_request(self, *_: object) -> None:
                pass

        return Handler

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@contextlib.contextmanager
def running_prometheus(folder: Path, gauge: Gauge | None = None, port: int = 0) -> Iterator[str]:
    """Start a server that has scraped itself once; yield its URL."""
    port = port or free_port()
    folder.mkdir(exist_ok=True)
    target = f'"127.0.0.1:{gauge.server.server_port}"' if gauge else ""
    (folder / "prometheus.yml").write_text(CONF.format(port=port, folder=folder, gauge=target))
    (folder / "rules.yml").write_text(RULES)
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
