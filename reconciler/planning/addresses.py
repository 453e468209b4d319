"""What is done to a database, once it was copied, that says where others are: it is to name the copies. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from reconciler.domain.catalog import Addresses
from reconciler.domain.desired import REHEARSAL
from reconciler.domain.plan import Json
from reconciler.planning.database_actions import databases_on, named_target
from reconciler.planning.setting import Draft, Setting, UnfitError
from reconciler.steps import addresses

NOWHERE = "none:///"
"""The address of a message bus that nobody reaches."""


def readdressed(setting: Setting, database: str) -> Iterator[Draft]:
    """Yield what lets a loaded copy name the copies of the others, so that no tool follows it to what serves.

    Raises:
        UnfitError: the copy is a file, for which nobody knows how.
    """
    known = setting.catalog.service(setting.service.component).databases.get(database)
    if known is None or known.addresses is None:
        return
    place = named_target(setting, database)
    if place["engine"] != "mariadb":
        text = f"{known.addresses.table} of {database} names other databases, and can be rewritten in MariaDB alone"
        raise UnfitError(f"{setting.service.name}: {text}")
    args = place | _args(known.addresses, setting)
    model = addresses.Model.model_validate(args)
    yield Draft(
        kind=addresses.KIND,
        title=f"let {model.table} of {model.dbname} name the copies",
        key=f"addresses.{database}",
        args=model.model_dump(mode="json", exclude_unset=True),
    )


def _args(found: Addresses, setting: Setting) -> dict[str, Json]:
    copies = dict(databases_on(setting.service, setting.desired))
    named = [(key, name) for key, name in (*sorted(found.of.items()), ("", found.others)) if name in copies]
    places: list[Json] = [
        {
            "key": key,
            "url": copies[name].host_url,
            "password": None if (ref := copies[name].password) is None else asdict(ref),
        }
        for key, name in named
    ]
    rehearsed = setting.service.deployment == REHEARSAL
    blank: dict[str, Json] = {found.bus: NOWHERE} if found.bus and rehearsed else {}
    return {
        "table": found.table,
        "key": found.key,
        "column": found.column,
        "keys": [*sorted(found.of)],
        "places": places,
        "blank": blank,
    }
