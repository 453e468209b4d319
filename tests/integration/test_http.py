"""HttpxHttp against a real server on loopback."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from reconciler.adapters.http import HttpxHttp
from reconciler.domain.effect import AskHttp
from reconciler.domain.outcome import Sample
from reconciler.domain.probe import HttpProbe
from tests.support.net import free_port

pytestmark = pytest.mark.integration

PASSWORD = 'hunter2"\\&%ż '


class Handler(BaseHTTPRequestHandler):
    """Answers as the path says; `/echo` gives back what it got."""

    seen: list[str] = []  # noqa: RUF012

    def log_message(self, *args: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        self.seen.append(path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        match path:
            case "/redirect":
                self.answer(302, b"", Location="/ok")
            case "/large":
                self.answer(200, b"x" * 200_000 + b"end")
            case "/endless":
                self.endless()
            case "/cut":
                self.send_response(200)
                self.send_header("Content-Length", "100")
                self.end_headers()
                self.wfile.write(b"short")
            case "/garbage":
                self.wfile.write(b"\x00\x01 not http\r\n\r\n")
            case "/echo":
                got = {
                    "headers": dict(self.headers),
                    "query": parse_qs(urlsplit(self.path).query),
                    "body": body.decode(),
                }
                self.answer(200, json.dumps(got).encode(), **{"X-Subject-Token": "gAAAA"})
            case "/json":
                good = json.loads(body)["password"] == PASSWORD
                self.answer(201 if good else 401, b"")
            case "/form":
                good = parse_qs(body.decode())["password"] == [PASSWORD]
                self.answer(201 if good else 401, b"")
            case "/query":
                good = parse_qs(urlsplit(self.path).query)["password"] == [PASSWORD]
                self.answer(201 if good else 401, b"")
            case _:
                self.answer(200, b"fine")

    do_POST = do_GET  # noqa: N815

    def endless(self) -> None:
        self.send_response(200)
        self.end_headers()
        try:
            while True:
                self.wfile.write(b"x" * 65536)
        except OSError:
            return

    def answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def serve(context: ssl.SSLContext | None = None) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"{'https' if context else 'http'}://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    yield from serve()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"),
            *("-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(path), "-out", f"{path}.crt"),
        ],
        check=True,
        capture_output=True,
    )
    path.write_text(path.read_text() + Path(f"{path}.crt").read_text())
    return path


@pytest.fixture(scope="module")
def tls_server(certificate: Path) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    yield from serve(context)


async def ask(url: str, http: HttpxHttp | None = None, **more: object) -> Sample:
    probe = HttpProbe(**{"name": "probe", "url": url, "timeout_s": 5, **more})
    sample = await (http or HttpxHttp()).sample(AskHttp(probe=probe), {"admin": PASSWORD, "odd": "a\r\nb"})
    assert "hunter2" not in sample.text
    assert sample.text.isprintable()
    return sample


async def test_a_good_answer(server):
    assert await ask(f"{server}/ok", expect_body="fine") == Sample(True, "status 200")
    assert (await ask(f"{server}/echo", expect_header="x-subject-token")).ok is True
    assert (await ask(f"{server}/ok", status=201)).ok is False
    assert (await ask(f"{server}/ok", expect_body="other")).ok is False


async def test_secrets_are_escaped_for_where_they_stand(server):
    json_body = {"body": '{"password": "{secret:admin}"}', "headers": {"content-type": "application/json"}}
    form_body = {"body": "password={secret:admin}", "headers": {"Content-Type": "application/x-www-form-urlencoded"}}
    assert (await ask(f"{server}/json", method="POST", status=201, **json_body)).text == "status 201"
    assert (await ask(f"{server}/form", method="POST", status=201, **form_body)).text == "status 201"
    assert (await ask(f"{server}/query?password={{secret:admin}}", status=201)).text == "status 201"


async def test_a_secret_that_is_missing_or_breaks_a_header_sends_nothing(server):
    Handler.seen.clear()
    missing = await ask(f"{server}/ok", headers={"X-Auth": "{secret:other}"})
    assert (missing.ok, "other" in missing.text) == (None, True)
    for name in ("admin", "odd"):
        assert (await ask(f"{server}/ok", headers={"X-Auth": f"{{secret:{name}}}"})).ok is None
    assert Handler.seen == []


async def test_redirects_are_not_followed(server):
    Handler.seen.clear()
    assert (await ask(f"{server}/redirect")).text == "status 302 instead of 200"
    assert Handler.seen == ["/redirect"]


async def test_proxies_of_the_environment_are_not_used(server, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    assert (await ask(f"{server}/ok")).ok is True


async def test_only_the_start_of_a_body_is_read(server):
    assert (await ask(f"{server}/large", expect_body="xxx")).ok is True
    assert (await ask(f"{server}/large", expect_body="end")).ok is False
    assert (await ask(f"{server}/endless", expect_body="xxx")).ok is True


@pytest.mark.parametrize("path", ["/cut", "/garbage"])
async def test_an_incomplete_answer_is_bad(server, path):
    assert (await ask(server + path)).ok is False


async def test_a_server_that_says_nothing_is_given_up():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        assert await ask(url, timeout_s=0.3) == Sample(False, "no answer within 0.3 s")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/", "http://nowhere.invalid/", "ftp://h/", "", "http://[/", "http://h:x/"]
)
async def test_without_a_connection_nobody_can_tell(url):
    assert (await ask(url)).ok is None


async def test_certificates_are_checked_unless_told_otherwise(tls_server, certificate):
    refused = await ask(f"{tls_server}/ok")
    assert (refused.ok, "certificate" in refused.text) == (None, True)
    assert (await ask(f"{tls_server}/ok", verify_tls=False)).ok is True
    assert (await ask(f"{tls_server}/ok", HttpxHttp(ca_file=certificate))).ok is True


async def test_a_connection_is_taken_or_not():
    async with await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert (await HttpxHttp().connect("127.0.0.1", port)).ok is True
    refused = await HttpxHttp().connect("127.0.0.1", port)
    assert refused.ok is False
    assert "no connection" in refused.text
