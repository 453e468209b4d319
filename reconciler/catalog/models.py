"""The shape of the catalog's YAML files; a series file and a service file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from reconciler.domain.catalog import RuleKind, Stage, Verified

Name = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
Text = Annotated[str, Field(min_length=1, max_length=2000)]
Argv = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)]
Versions = dict[Name, Annotated[int, Field(ge=0)]]


class Model(BaseModel):
    """Frozen, and strict about unknown keys: a misspelt rule must not be a missing rule."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SpanModel(Model):
    """From the first to the last release named; an end left out is open."""

    first: Name | None = None
    last: Name | None = None


class ReleaseModel(Model):
    """One line of a series."""

    id: Name
    codename: Name
    slurp: bool = False
    aliases: tuple[Name, ...] = ()


class SchemaTestModel(Model):
    """A question about the schema that a hop starts from."""

    database: Name = "main"
    alembic: bool | None = None
    migrate_below: Versions = {}
    migrate_at_least: Versions = {}
    migrate_missing: tuple[Name, ...] = ()


class NeedModel(Model):
    """Another component at such a release, or later."""

    service: Name
    release: Name
    when: Literal["before", "after"]


class RuleModel(Model):
    """A hop rule; `from`, `to`, `pairs` and `when` say which hops it applies to."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    id: Name
    kind: RuleKind
    reason: Text
    source: Text
    verified: Verified
    origins: SpanModel = Field(default=SpanModel(), alias="from")
    goals: SpanModel = Field(default=SpanModel(), alias="to")
    pairs: tuple[tuple[Name, Name], ...] = ()
    when: SchemaTestModel | None = None
    met_by: SpanModel | None = None
    needs: NeedModel | None = None
    exposed: str = ""
    meet: str = ""
    outcome: Literal["", "refused", "reinit", "silent_stamp", "accepted_unsafe"] = ""
    leaves: Literal["", "alembic_version"] = ""

    @model_validator(mode="after")
    def _fits_its_kind(self) -> RuleModel:
        if self.met_by and self.kind is not RuleKind.GATE:
            raise ValueError("met_by belongs to a rule of kind gate")
        if (self.needs is not None) != (self.kind is RuleKind.REQUIRES):
            raise ValueError("needs belongs to a rule of kind requires, and such a rule needs it")
        if self.exposed and self.kind is not RuleKind.FORBIDDEN:
            raise ValueError("exposed belongs to a rule of kind forbidden")
        return self


class NoteModel(SpanModel):
    """A fact that no rule can hold."""

    id: Name
    text: Text
    source: Text
    verified: Verified


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
