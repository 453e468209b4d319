"""The shape of the catalog's YAML files; a series file and a service file."""

from __future__ import annotations

from pydantic import model_validator

from reconciler.catalog.model import Argv, Model, Name, SpanModel, Versions
from reconciler.catalog.rule_model import NoteModel, RuleModel
from reconciler.domain.marker import Stage


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

    name: Name
    stage: Stage = Stage.EXPAND
    revisions: tuple[Name, ...] = ()


class MigrateModel(Model):
    """How the rows of `migrate_version` are read."""

    repositories: tuple[RepositoryModel, ...]
    ignored: tuple[Name, ...] = ()
    remnants: Versions = {}
    blanks: tuple[Versions, ...] = ()


class AlembicModel(Model):
    """The revision graph: one base, and chains that start from it."""

    base: Name
    branches: tuple[RepositoryModel, ...]


class DatabaseModel(Model):
    """One database of a service."""

    option: str = ""
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

    until: Name


class ReleaseMarkerModel(MarkerModel):
    """The marker of a release's last package."""

    earlier: tuple[EarlierMarkerModel, ...] = ()


class PackageModel(Model):
    """The Python package's first and final version."""

    first: Name
    final: Name


class PythonModel(Model):
    """The Python a package asks for, and those it lists as tested."""

    requires: str = ""
    tested: tuple[str, ...] = ()


class ServiceReleaseModel(Model):
    """One release of a service."""

    id: Name
    package: PackageModel
    deb: str = ""
    python: PythonModel = PythonModel()
    databases: dict[Name, ReleaseMarkerModel] = {}


class EraModel(SpanModel):
    """Commands and units that hold for a stretch of releases."""

    zero_downtime: bool
    units: tuple[Name, ...] = ()
    sync: Argv
    expand: Argv | None = None
    migrate: Argv | None = None
    contract: Argv | None = None
    check: Argv | None = None
    upgrade_check: Argv | None = None


class PackageNamesModel(Model):
    """What the service is called by package managers."""

    python: str = ""
    deb: str = ""


class ServiceModel(Model):
    """`<service>.yaml`: a service of a series."""

    service: Name
    series: Name
    packages: PackageNamesModel = PackageNamesModel()
    databases: dict[Name, DatabaseModel] = {}
    eras: tuple[EraModel, ...] = ()
    releases: tuple[ServiceReleaseModel, ...] = ()
    rules: tuple[RuleModel, ...] = ()
    notes: tuple[NoteModel, ...] = ()
