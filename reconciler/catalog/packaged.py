"""Reads the packaged YAML files of the catalog, each once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from importlib.resources import files
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from reconciler.catalog.model import Model
from reconciler.catalog.models import RelationsModel, SeriesModel, ServiceModel
from reconciler.errors import CatalogError

AnyModel = TypeVar("AnyModel", bound=Model)

_HERE = files("reconciler.catalog")


@cache
def packaged_series() -> tuple[SeriesModel, ...]:
    """Return every series."""
    return tuple(_read(SeriesModel, folder, "series.yaml") for folder in _series_folders())


def packaged_services() -> dict[str, Callable[[], ServiceModel]]:
    """Return what reads each service's file; no file is opened before it is called."""
    found = sorted((name, folder) for folder in _series_folders() for name in _yaml_files(folder))
    return {
        name.removesuffix(".yaml"): partial(_read, ServiceModel, folder, name)
        for name, folder in found
        if name != "series.yaml"
    }


@cache
def packaged_relations() -> tuple[RelationsModel, ...]:
    """Return every file of relations."""
    return tuple(_read(RelationsModel, "relations", name) for name in _yaml_files("relations"))


def _series_folders() -> list[str]:
    return sorted(each.name for each in _HERE.iterdir() if each.is_dir() and (each / "series.yaml").is_file())


def _yaml_files(folder: str) -> list[str]:
    return sorted(each.name for each in (_HERE / folder).iterdir() if each.name.endswith(".yaml"))


@cache
def _read(model: type[AnyModel], folder: str, name: str) -> AnyModel:
    text = (_HERE / folder / name).read_text("utf-8")
    return validated(model, yaml.load(text, Loader=yaml.CSafeLoader), f"{folder}/{name}")


def form_of(document: Mapping[str, Any]) -> type[RelationsModel | ServiceModel | SeriesModel]:
    """Tell from its keys what a document is."""
    if "relations" in document:
        return RelationsModel
    return ServiceModel if "service" in document else SeriesModel


def validated(model: type[AnyModel], document: Mapping[str, Any], where: str) -> AnyModel:
    """Return the model of a document.

    Raises:
        CatalogError: it is malformed; the text names every mistake.
    """
    try:
        return model.model_validate(document)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}" for each in error.errors())
        raise CatalogError(
            f"{where}: {wrong}", reason="catalog-invalid", hint="see docs/reference/catalog.md"
        ) from None
