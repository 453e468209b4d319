"""The shape of the catalog's YAML files; a series file and a service file."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from reconciler.catalog.commands_model import EraModel, LieModel
from reconciler.catalog.model import Model, Name, RowName, SpanModel, Text, Versions
from reconciler.catalog.rule_model import NoteModel, RuleModel
from reconciler.domain.marker import Stage
from reconciler.domain.version import NUMBERS


def _numbers(text: str) -> str:
    if not re.fullmatch(NUMBERS, text):
        raise ValueError("must be a version of numbers and dots, like 19.0.1")
    return text


class ReleaseModel(Model):
    """One line of a series."""

    id: Name
    codename: Name
    slurp: bool = False
    aliases: tuple[Name, ...] = ()


class SeriesModel(Model):
    """`series.yaml`: the releases in order, and the rules of all services of the series."""

    series: Name
    releases: tuple[ReleaseModel, ...] = ()
    rules: tuple[RuleModel, ...] = ()


class RepositoryModel(Model):
    """A migrate repository, or an alembic branch with its revisions, oldest first."""

    name: RowName
    stage: Stage = Stage.EXPAND
    revisions: tuple[Name, ...] = ()


class MigrateModel(Model):
    """How the rows of `migrate_version` are read."""

    repositories: tuple[RepositoryModel, ...]
    ignored: tuple[RowName, ...] = ()
    remnants: Versions = {}
    blanks: tuple[Versions, ...] = ()


class AlembicModel(Model):
    """The revision graph: one base, and chains that start from it."""

    base: Name
    branches: tuple[RepositoryModel, ...]
    implies: dict[Name, Name] = {}


Column = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class AddressesModel(Model):
    """Rows that hold addresses of other databases: in `column`, of the database that `of` names by the row's `key`.

    The one row with another key means the database `others`. `bus` is a column that holds the address of a message bus.
    """

    table: Column
    key: Column
    column: Column
    of: Annotated[dict[str, Name], Field(min_length=1)]
    others: Name
    bus: Column | None = None


class DatabaseModel(Model):
    """One database of a service."""

    option: str = ""
    addresses: AddressesModel | None = None
    appears: SpanModel = SpanModel()
    migrate: MigrateModel | None = None
    alembic: AlembicModel | None = None


class MarkerModel(Model):
    """The marker of a release: heads of alembic, or versions of migrate repositories."""

    alembic: tuple[Name, ...] = ()
    migrate: Versions = {}

    @model_validator(mode="after")
    def _is_one_of_two(self) -> MarkerModel:
        if bool(self.alembic) == bool(self.migrate):
            raise ValueError("a marker has either alembic or migrate")
        return self


class EarlierMarkerModel(MarkerModel):
    """A marker of the first packages of a release, before a migration was added within it."""

    until: Annotated[str, AfterValidator(_numbers), Field(json_schema_extra={"pattern": f"^{NUMBERS}$"})]


class ReleaseMarkerModel(MarkerModel):
    """The marker of a release's last package; `also` those that its other schema commands leave."""

    also: tuple[MarkerModel, ...] = ()
    earlier: tuple[EarlierMarkerModel, ...] = ()


class PackageModel(Model):
    """The Python package's first and final version."""

    first: Name
    final: Name


class PythonModel(Model):
    """The Python a package asks for, and those it lists as tested."""

    requires: str = ""
    tested: tuple[str, ...] = ()


class ImagesModel(Model):
    """Container images: how their names are made, and the tag of the release."""

    name: Text
    tag: Text


class ServiceReleaseModel(Model):
    """One release of a service."""

    id: Name
    package: PackageModel | None = None
    deb: str = ""
    images: ImagesModel | None = None
    python: PythonModel = PythonModel()
    databases: dict[Name, ReleaseMarkerModel] = {}


class PackageNamesModel(Model):
    """What the service is called by package managers."""

    python: str = ""
    deb: str = ""


class OriginModel(Model):
    """Where the service's tables lived before it had a database of its own."""

    service: Name
    database: Name
    tables: Annotated[tuple[Name, ...], Field(min_length=1)]
    releases: SpanModel
    reason: Text
    source: Text


class ReleasesOfModel(SpanModel):
    """Releases that are not listed again: those of another service, whose packages these are too, without databases.

    Without a service those of the series, where distributions build packages with versions of their own.
    """

    service: Name | None = None


class BackfillFunctionModel(SpanModel):
    """An online data migration, and the releases whose code holds it."""

    name: Name


class ServiceModel(Model):
    """`<service>.yaml`: a service of a series."""

    service: Name
    series: Name
    releases_of: ReleasesOfModel | None = None
    packages: PackageNamesModel = PackageNamesModel()
    origin: OriginModel | None = None
    databases: dict[Name, DatabaseModel] = {}
    eras: tuple[EraModel, ...] = ()
    backfills: tuple[BackfillFunctionModel, ...] = ()
    releases: tuple[ServiceReleaseModel, ...] = ()
    rules: tuple[RuleModel, ...] = ()
    notes: tuple[NoteModel, ...] = ()
    upgrade_check_lies: tuple[LieModel, ...] = ()


class RelationModel(RuleModel):
    """A rule of a file of its own; `service` is the one that it belongs to."""

    service: Name


class RelationsModel(Model):
    """`relations/<name>.yaml`: what components of several series ask of each other."""

    relations: Name
    rules: Annotated[tuple[RelationModel, ...], Field(min_length=1)]
