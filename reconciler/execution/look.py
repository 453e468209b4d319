"""Looks at the fleet: hosts through the observers, databases by SQL. Asks, and never touches."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace

from reconciler.domain.desired import BuildSpec, ConfigFile, ContainerSpec, Database, Desired, Host, Service
from reconciler.domain.effect import AskHost
from reconciler.domain.observation import HostReport, Known, Observations, Observed, Unknown
from reconciler.domain.placeholder import fill
from reconciler.domain.reasons import Reason
from reconciler.domain.schema import SchemaMarker
from reconciler.errors import SecretError
from reconciler.execution.defects import seen
from reconciler.observers import compose, read_report
from reconciler.planning.deployments import all_of, bearing, seen_as
from reconciler.planning.words import host_words, resolved
from reconciler.ports import Ports, Unreachable

HOST_DEADLINE_S = 60.0
"""How long one host may take to answer; a host that is slower is Unknown."""


async def look(desired: Desired, ports: Ports, hosts: Iterable[str] | None = None) -> Observations:
    """Ask every host (or those named) and every database at once; nobody waits for a dead host but its own answer."""
    names, clock = sorted(desired.hosts if hosts is None else hosts), ports.clock
    bearing = {name: services_on(desired, name) for name in names}
    keys = [
        (each, name) for service in desired.services.values() for each in all_of(service) for name in each.databases
    ]
    reports, markers = await asyncio.gather(
        asyncio.gather(*(seen(look_at_host(desired.hosts[name], bearing[name], ports), clock) for name in names)),
        asyncio.gather(*(seen(look_at_database(desired, each, name, ports), clock) for each, name in keys)),
    )
    found = {(seen_as(each), name): marker for (each, name), marker in zip(keys, markers, strict=True)}
    return Observations(hosts=dict(zip(names, reports, strict=True)), databases=found)


def services_on(desired: Desired, host: str) -> tuple[Service, ...]:
    """Return the services that a host bears, in quarantine too, each as the deployment that is there."""
    found = (bearing(service, host) for service in desired.services.values())
    aside = (service for each in desired.quarantined if each.host == host for service in each.bears)
    return (*(each for each in found if each is not None), *aside)


async def look_at_host(host: Host, services: Iterable[Service], ports: Ports) -> Observed[HostReport]:
    """Ask one host everything in one round trip."""
    at = ports.clock.now()
    questions = compose(host, [resolved(service, host) for service in services])
    try:
        answers = await asyncio.wait_for(ports.hosts.look(host, questions), HOST_DEADLINE_S)
    except TimeoutError:
        return Unknown(str(Reason.HOST_UNREACHABLE), f"no answer within {HOST_DEADLINE_S:.0f} s", at)
    except OSError as error:
        return Unknown(str(Reason.HOST_UNREACHABLE), f"the daemon's machine failed: {error}", at)
    if isinstance(answers, Unreachable):
        return Unknown(answers.reason, answers.text, at)
    return Known(read_report(questions, answers, at), at)


def asked_of(question: AskHost) -> Service:
    """Return what a question names of a host, as a service that bears no more than that."""
    container = ContainerSpec(name=question.service, image="", engine=question.engine)
    build = BuildSpec(
        form=question.form,
        link=question.link,
        requirements=question.names,
        packages=dict.fromkeys(question.names, ""),
        containers=(container,) if question.engine else (),
    )
    config = {"*": (ConfigFile(path="", template=""),)} if question.configured else {}
    return Service(
        name=question.service,
        component=question.service,
        series="",
        release="",
        procedure="",
        units=question.units,
        builds={"*": build},
        config=config,
    )


async def look_at_database(desired: Desired, service: Service, name: str, ports: Ports) -> Observed[SchemaMarker]:
    """Read one database's version tables."""
    return await read_marker(database_of(desired, service, name), ports)


def database_of(desired: Desired, service: Service, name: str) -> Database:
    """Return a database with its URLs filled for the bootstrap host."""
    words = host_words(service, desired.hosts[service.bootstrap])
    database = service.databases[name]
    return replace(database, url=fill(database.url, words), host_url=fill(database.host_url or database.url, words))


async def read_marker(database: Database, ports: Ports) -> Observed[SchemaMarker]:
    """Read a marker; a password that cannot be read makes it Unknown."""
    try:
        password = password_of(database, ports)
    except SecretError as error:
        return Unknown(str(Reason.SECRET_MISSING), str(error), ports.clock.now())
    return await ports.databases.marker(database, password)


def password_of(database: Database, ports: Ports) -> str | None:
    """Resolve a database's password; raises SecretError."""
    return None if database.password is None else ports.secrets.resolve(database.password)
