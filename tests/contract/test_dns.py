"""What every Dns must do: in memory, and through a real BIND."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import pytest

from reconciler.adapters.dns import DnspythonDns
from reconciler.domain.dns import DnsRecords
from reconciler.domain.effect import UpdateDns
from reconciler.domain.observation import Absent, Known, Unknown
from reconciler.ports import Dns
from tests.fakes.dns import MemoryDns
from tests.support.named import KEY, Named, running_named


class Place(Protocol):
    dns: Dns
    port: int

    def cut(self) -> None: ...


class MemoryPlace:
    port = 53

    def __init__(self) -> None:
        self.dns = MemoryDns(keys={"mover": KEY}, records={("nova.example.org.", "A"): ("192.0.2.1",)})

    def cut(self) -> None:
        self.dns.away = True


@dataclass
class NamedPlace:
    server: Named
    dns: Dns

    @property
    def port(self) -> int:
        return self.server.port

    def cut(self) -> None:
        self.server.stop()


@pytest.fixture(params=["memory", pytest.param("named", marks=pytest.mark.integration)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "memory":
        yield MemoryPlace()
        return
    with running_named(tmp_path) as server:
        yield NamedPlace(server, DnspythonDns(timeout_s=10))


def records(place: Place, name: str = "nova.example.org.", kind: str = "A", zone: str = "example.org.") -> DnsRecords:
    return DnsRecords(server="127.0.0.1", port=place.port, zone=zone, name=name, type=kind)


def change(place: Place, was: tuple[str, ...], values: tuple[str, ...], **more: str) -> UpdateDns:
    of = records(place, **more)
    return UpdateDns(records=of, was=was, values=values, ttl=30, key_name="mover")


async def seen(place: Place, **more: str) -> tuple[str, ...]:
    found = await place.dns.values(records(place, **more))
    assert not isinstance(found, Unknown), found
    return found.value if isinstance(found, Known) else ()


async def test_records_are_replaced_and_come_back(place):
    there = change(place, ("192.0.2.1",), ("192.0.2.8", "192.0.2.7"))
    assert (await place.dns.update(there, KEY)).ok
    assert await seen(place) == ("192.0.2.7", "192.0.2.8")
    again = await place.dns.update(there, KEY)
    assert again.ok is False
    assert "is not 192.0.2.1 as expected" in again.text
    back = replace(there, was=there.values, values=there.was)
    assert (await place.dns.update(back, KEY)).ok
    assert await seen(place) == ("192.0.2.1",)


async def test_only_the_expected_value_is_replaced(place):
    for was in (("192.0.2.9",), ("192.0.2.1", "192.0.2.9"), ()):
        refused = await place.dns.update(change(place, was, ("192.0.2.7",)), KEY)
        assert refused.ok is False
        assert "as expected" in refused.text
    assert await seen(place) == ("192.0.2.1",)


@pytest.mark.parametrize(
    ("kind", "value"), [("AAAA", "2001:db8::7"), ("CNAME", "new.example.org."), ("A", "192.0.2.3")]
)
async def test_records_appear_and_go(place, kind, value):
    new = change(place, (), (value,), name="new-name.example.org.", kind=kind)
    assert await seen(place, name="new-name.example.org.", kind=kind) == ()
    assert (await place.dns.update(new, KEY)).ok
    assert await seen(place, name="new-name.example.org.", kind=kind) == (value,)
    assert (await place.dns.update(replace(new, was=(value,), values=()), KEY)).ok
    absent = await place.dns.values(records(place, name="new-name.example.org.", kind=kind))
    assert isinstance(absent, Absent)


async def test_without_the_right_key_nothing_changes(place):
    there = change(place, ("192.0.2.1",), ("192.0.2.7",))
    for refused in (
        await place.dns.update(there, "b3RoZXI="),
        await place.dns.update(replace(there, key_name="other"), KEY),
        await place.dns.update(replace(there, key_name=""), None),
    ):
        assert refused.ok is False, refused
    assert await seen(place) == ("192.0.2.1",)


async def test_a_server_without_the_word_on_a_zone_is_not_believed(place):
    there = change(place, (), ("192.0.2.7",), name="x.example.net.", zone="example.net.")
    assert (await place.dns.update(there, KEY)).ok is False
    assert isinstance(await place.dns.values(there.records), Unknown)


async def test_a_server_that_is_away_tells_nothing(place):
    place.cut()
    assert (await place.dns.update(change(place, ("192.0.2.1",), ("192.0.2.7",)), KEY)).ok is None
    unknown = await place.dns.values(records(place))
    assert isinstance(unknown, Unknown)
    assert "A nova.example.org." in unknown.text


@pytest.mark.integration
async def test_a_key_that_is_no_base64_changes_nothing(tmp_path):
    with running_named(tmp_path) as server:
        place = NamedPlace(server, DnspythonDns())
        assert (await place.dns.update(change(place, ("192.0.2.1",), ()), "not base64 !")).ok is False
