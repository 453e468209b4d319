"""Puts the catalog together: the packaged files, and what a site adds to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any, TypeVar

from reconciler.catalog.build import build_series, build_service, merged_series, merged_service, with_releases_of
from reconciler.catalog.check import wrong
from reconciler.catalog.model import Model
from reconciler.catalog.models import RelationsModel, SeriesModel, ServiceModel, ServiceReleaseModel
from reconciler.catalog.packaged import form_of, packaged_relations, packaged_series, packaged_services, validated
from reconciler.domain.catalog import Catalog, Service
from reconciler.domain.release import Series, near_miss
from reconciler.errors import CatalogError

Of = TypeVar("Of", bound=Model)


class _Shelf(Mapping[str, Service]):
    """Services by name, each made when it is first asked for."""

    def __init__(self, makers: Mapping[str, Callable[[], Service]]) -> None:
        self._makers = {name: cache(maker) for name, maker in makers.items()}

    def __getitem__(self, name: str) -> Service:
        return self._makers[name]()

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)


def load_catalog(extra: Sequence[Mapping[str, Any]] = ()) -> Catalog:
    """Return the packaged catalog, extended by already parsed documents of the same shape.

    A document with the key `relations` adds rules to services, one with `service` adds a service, or releases, eras,
    rules and notes to one that is there; one with only `series` does the same for a series. Packaged services are
    read when they are asked for.

    Raises:
        CatalogError: a document of `extra` is malformed or contradicts the catalog.
    """
    return _extended(extra) if extra else _packaged()


def build_catalog(documents: Iterable[Mapping[str, Any]]) -> Catalog:
    """Return a catalog of nothing but `documents`, each a parsed file of the catalog.

    Raises:
        CatalogError: a document is malformed or contradicts another.
    """
    parts = _Parts.of(documents)
    return parts.assembled(parts.named)


@cache
def _packaged() -> Catalog:
    return _extended(())


def _extended(extra: Sequence[Mapping[str, Any]]) -> Catalog:
    added = _Parts.of(extra)
    parts = _Parts(
        series=(*packaged_series(), *added.series),
        services=added.services,
        relations=(*packaged_relations(), *added.relations),
        packaged=packaged_services(),
    )
    return parts.assembled(added.named)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """All documents of a catalog; those of `packaged` are read when they are needed."""

    series: tuple[SeriesModel, ...] = ()
    services: tuple[ServiceModel, ...] = ()
    relations: tuple[RelationsModel, ...] = ()
    packaged: Mapping[str, Callable[[], ServiceModel]] = field(default_factory=dict)

    @classmethod
    def of(cls, documents: Iterable[Mapping[str, Any]]) -> _Parts:
        found = [
            validated(form_of(document), document, f"catalog document {place}")
            for place, document in enumerate(documents, start=1)
        ]
        return cls(
            series=_only(found, SeriesModel),
            services=_only(found, ServiceModel),
            relations=_only(found, RelationsModel),
        )

    @property
    def named(self) -> tuple[str, ...]:
        """Return the services that something is said of."""
        related = [rule.service for part in self.relations for rule in part.rules]
        return tuple(dict.fromkeys([*(part.service for part in self.services), *related]))

    def assembled(self, checked: Iterable[str]) -> Catalog:
        """Make the catalog; the services in `checked` are made now, so that what is wrong with them is told."""
        names = dict.fromkeys(part.series for part in self.series)
        models = {name: merged_series([p for p in self.series if p.series == name]) for name in names}
        series = {name: build_series(model) for name, model in models.items()}

        def make(name: str) -> Service:
            model = self._service(name, series)
            return build_service(model, series[model.series], models[model.series].rules)

        every = dict.fromkeys([*self.packaged, *(part.service for part in self.services)])
        shelf = _Shelf({name: partial(make, name) for name in every})
        for name in checked:
            if name not in shelf:
                raise wrong(name, "has a relation, but is not in the catalog")
            shelf[name]
        return Catalog(series=series, services=shelf)

    def _service(self, name: str, series: Mapping[str, Series]) -> ServiceModel:
        """Join all that is said of one service."""
        model = self._own(name)
        if model.series not in series:
            raise CatalogError(
                f"catalog, {name}: series {model.series!r} is not in the catalog",
                reason="catalog-invalid",
                hint=near_miss(model.series, series),
            )
        if model.releases_of:
            model = with_releases_of(model, self._listed(model, series[model.series]), series[model.series])
        related = tuple(rule for part in self.relations for rule in part.rules if rule.service == name)
        return model.model_copy(update={"rules": (*model.rules, *related)})

    def _listed(self, model: ServiceModel, series: Series) -> tuple[ServiceReleaseModel, ...]:
        """Return the releases that a service takes over."""
        assert model.releases_of is not None
        if model.releases_of.service is None:
            return tuple(ServiceReleaseModel(id=release.id) for release in series.releases)
        other = self._own(model.releases_of.service)
        if other.series != model.series or other.releases_of:
            raise wrong(model.service, f"takes releases of {other.service}, which has none of its own in that series")
        return other.releases

    def _own(self, name: str) -> ServiceModel:
        parts = [self.packaged[name]()] if name in self.packaged else []
        parts += [part for part in self.services if part.service == name]
        if not parts:
            raise wrong(name, "is not in the catalog")
        return merged_service(parts)


def _only(found: Iterable[Model], kind: type[Of]) -> tuple[Of, ...]:
    return tuple(each for each in found if isinstance(each, kind))
