"""Reads the catalog: the packaged YAML files, and what a site adds to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, partial
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from reconciler.catalog.build import build_series, build_service, merged_series, merged_service
from reconciler.catalog.model import Model
from reconciler.catalog.models import SeriesModel, ServiceModel
from reconciler.domain.catalog import Catalog, Service
from reconciler.domain.release import near_miss
from reconciler.errors import CatalogError

AnyModel = TypeVar("AnyModel", bound=Model)


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

    A document with the key `service` adds a service, or releases, eras, rules and notes to one that is
    there; a document with only `series` does the same for a series. Packaged services are read
    when they are asked for.

    Raises:
        CatalogError: a document of `extra` is malformed or contradicts the catalog.
    """
    if not extra:
        return _packaged()
    series, services = _split(extra)
    return _assemble([*_packaged_series(), *series], services, _packaged_services())


def build_catalog(documents: Iterable[Mapping[str, Any]]) -> Catalog:
    """Return a catalog of nothing but `documents`, each a parsed series or service file.

    Raises:
        CatalogError: a document is malformed or contradicts another.
    """
    series, services = _split(documents)
    return _assemble(series, services, {})


@cache
def _packaged() -> Catalog:
    return _assemble(list(_packaged_series()), [], _packaged_services())


def _split(documents: Iterable[Mapping[str, Any]]) -> tuple[list[SeriesModel], list[ServiceModel]]:
    series: list[SeriesModel] = []
    services: list[ServiceModel] = []
    for place, document in enumerate(documents, start=1):
        where = f"catalog document {place}"
        if "service" in document:
            services.append(_validated(ServiceModel, document, where))
        else:
            series.append(_validated(SeriesModel, document, where))
    return series, services


def _assemble(
    series_parts: Sequence[SeriesModel],
    added: Sequence[ServiceModel],
    packaged: Mapping[str, Callable[[], ServiceModel]],
) -> Catalog:
    names = dict.fromkeys(part.series for part in series_parts)
    models = {name: merged_series([p for p in series_parts if p.series == name]) for name in names}
    series = {name: build_series(model) for name, model in models.items()}

    def make(name: str) -> Service:
        parts = [packaged[name]()] if name in packaged else []
        model = merged_service([*parts, *(part for part in added if part.service == name)])
        if model.series not in series:
            raise CatalogError(
                f"catalog, {name}: series {model.series!r} is not in the catalog",
                reason="catalog-invalid",
                hint=near_miss(model.series, series),
            )
        return build_service(model, series[model.series], models[model.series].rules)

    touched = list(dict.fromkeys(part.service for part in added))
    shelf = _Shelf({name: partial(make, name) for name in dict.fromkeys([*packaged, *touched])})
    for name in touched:  # what a site adds is checked now, not when it is first used
        shelf[name]
    return Catalog(series=series, services=shelf)


@cache
def _packaged_series() -> tuple[SeriesModel, ...]:
    return tuple(_read(SeriesModel, folder / "series.yaml") for folder in _series_folders())


def _packaged_services() -> dict[str, Callable[[], ServiceModel]]:
    found = sorted((each for folder in _series_folders() for each in folder.iterdir()), key=lambda each: each.name)
    return {
        each.name.removesuffix(".yaml"): partial(_read, ServiceModel, each)
        for each in found
        if each.name.endswith(".yaml") and each.name != "series.yaml"
    }


def _series_folders() -> list[Traversable]:
    here = files("reconciler.catalog")
    return sorted(
        (each for each in here.iterdir() if each.is_dir() and (each / "series.yaml").is_file()),
        key=lambda each: each.name,
    )


def _read(model: type[AnyModel], file: Traversable) -> AnyModel:
    return _validated(model, yaml.load(file.read_text("utf-8"), Loader=yaml.CSafeLoader), file.name)


def _validated(model: type[AnyModel], document: Mapping[str, Any], where: str) -> AnyModel:
    try:
        return model.model_validate(document)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}" for each in error.errors())
        raise CatalogError(
            f"{where}: {wrong}", reason="catalog-invalid", hint="see docs/reference/catalog.md"
        ) from None
