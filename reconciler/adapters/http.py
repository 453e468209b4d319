"""HTTP probes from the daemon's machine."""

from __future__ import annotations

import asyncio
import json
import re
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import quote, quote_plus

import httpx

from reconciler.domain.effect import AskHttp
from reconciler.domain.outcome import Sample
from reconciler.domain.probe import HttpProbe, judge_response

BODY_BYTES = 64 << 10  # what is read of an answer; `expect_body` has to be in it

_SECRET = re.compile(r"\{secret:([^{}]+)\}")
_NO_CONNECTION = (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol, httpx.InvalidURL)

Escape = Callable[[str], str]


class HttpxHttp:
    """Each request has a connection of its own, goes to nobody but the named server, and follows no redirect.

    Servers are trusted by this machine's certificate authorities, or by `ca_file` instead.
    """

    def __init__(self, ca_file: Path | None = None) -> None:
        self._trusting = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
        self._blind = ssl.create_default_context()
        self._blind.check_hostname = False
        self._blind.verify_mode = ssl.CERT_NONE

    async def sample(self, ask: AskHttp, secrets: Mapping[str, str]) -> Sample:
        """Ask once; `secrets` fill the `{secret:NAME}` placeholders, escaped for where they stand."""
        probe = ask.probe
        try:
            async with asyncio.timeout(probe.timeout_s):
                return await self._ask(probe, _filled(probe, secrets))
        except _NO_CONNECTION as error:
            return Sample(None, f"no connection: {cause(error)}")
        except (httpx.LocalProtocolError, ValueError):
            return Sample(None, "the request cannot be sent as it is written: odd characters in URL or headers")
        except KeyError as error:
            return Sample(None, f"the secret {error.args[0]} is not at hand")
        except (TimeoutError, httpx.TimeoutException):
            return Sample(False, f"no answer within {probe.timeout_s:g} s")
        except httpx.HTTPError as error:
            return Sample(False, f"no complete answer: {cause(error)}")

    async def connect(self, host: str, port: int) -> Sample:
        """Open a connection and close it; whoever asks sets the time it may take."""
        try:
            _, writer = await asyncio.open_connection(host, port)
        except OSError as error:
            return Sample(ok=False, text=f"no connection: {cause(error)}")
        writer.close()
        return Sample(ok=True, text="connected")

    async def _ask(self, probe: HttpProbe, request: httpx.Request) -> Sample:
        trust = self._trusting if probe.verify_tls else self._blind
        async with httpx.AsyncClient(verify=trust, trust_env=False, timeout=probe.timeout_s) as client:
            response = await client.send(request, stream=True, follow_redirects=False)
            try:
                body = await _start_of(response)
            finally:
                await response.aclose()
        return judge_response(probe, response.status_code, response.headers, body)


async def _start_of(response: httpx.Response) -> bytes:
    body = b""
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) >= BODY_BYTES:
            break
    return body[:BODY_BYTES]


def _filled(probe: HttpProbe, secrets: Mapping[str, str]) -> httpx.Request:
    """Build the request; raises KeyError for a secret that is not there, ValueError for what cannot be sent."""
    headers = {name: _fill(value, secrets, str) for name, value in probe.headers.items()}
    headers = {"User-Agent": "reconciler", "Accept-Encoding": "identity", **headers}
    kind = next((value for name, value in headers.items() if name.lower() == "content-type"), "")
    body = _fill(probe.body, secrets, _escape_for(kind))
    url = _fill(probe.url, secrets, lambda secret: quote(secret, safe=""))
    return httpx.Request(probe.method, url, headers=headers, content=body.encode())


def _fill(text: str, secrets: Mapping[str, str], escape: Escape) -> str:
    return _SECRET.sub(lambda found: escape(secrets[found[1]]), text)


def _escape_for(content_type: str) -> Escape:
    """A secret with a quote in it must not end the JSON string that it stands in."""
    if "json" in content_type.lower():
        return lambda secret: json.dumps(secret)[1:-1]
    return quote_plus if "x-www-form-urlencoded" in content_type.lower() else str


def cause(error: Exception) -> str:
    """Name the innermost cause of an error without its words, which may quote the URL."""
    inner: BaseException = error
    while (deeper := inner.__cause__ or inner.__context__) is not None:
        inner = deeper
    if isinstance(inner, ssl.SSLCertVerificationError):
        return f"the server's certificate is not trusted ({inner.verify_message})"
    return inner.strerror or type(inner).__name__ if isinstance(inner, OSError) else type(inner).__name__
