"""Reads a desired state: files in, the resolved nouns or every problem out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from reconciler.catalog.models import RelationsModel, SeriesModel, ServiceModel
from reconciler.catalog.packaged import form_of
from reconciler.desired.build import build_desired
from reconciler.desired.checks import check_tree
from reconciler.desired.checks_catalog import check_relations
from reconciler.desired.hosts import place_hosts
from reconciler.desired.known import CatalogLoader
from reconciler.desired.problem import Problem, Problems
from reconciler.desired.procedures import check_procedures
from reconciler.desired.tree import Tree, read_tree
from reconciler.desired.validate import validated
from reconciler.desired.world import World
from reconciler.domain.action import ActionForm
from reconciler.domain.catalog import Catalog
from reconciler.domain.desired import Desired
from reconciler.errors import CatalogError

FORMS: tuple[type[BaseModel], ...] = (SeriesModel, ServiceModel, RelationsModel)


def read_desired(
    files: Mapping[str, bytes],
    load_catalog: CatalogLoader,
    *,
    procedures: Mapping[str, bytes],
    actions: Mapping[str, ActionForm],
) -> Desired | Problems:
    """Read a desired state whole, or name everything that is wrong with it.

    Args:
        files: POSIX path relative to the desired-state folder, to content.
        load_catalog: gives the catalog extended by documents of the site.
        procedures: the files of the built-in procedures, by the name that problems of them show.
        actions: the words that a procedure's steps may use, with the forms of their arguments.
    """
    tree = read_tree(files, procedures)
    catalog, problems = _catalog(tree, load_catalog)
    hosts, wrong_hosts = place_hosts(tree)
    world = World(tree, hosts, catalog, actions)
    problems += [*tree.problems, *wrong_hosts, *check_procedures(tree, actions)]
    if tree.whole:  # else much would seem to be missing that stands in the file that cannot be parsed
        problems += check_tree(world)
    return Problems.of(problems) if problems else build_desired(world)


def _catalog(tree: Tree, load_catalog: CatalogLoader) -> tuple[Catalog, list[Problem]]:
    """Extend the catalog file by file, what is named before what names it, so that a mistake has its file."""
    catalog = load_catalog(())
    documents: list[Mapping[str, Any]] = []
    problems: list[Problem] = []
    forms = [(node, form_of(node.entries())) for node in tree.catalog]
    for node, model in sorted(forms, key=lambda each: FORMS.index(each[1])):
        _, wrong = validated(model, node, "the file")
        problems.extend(wrong)
        if wrong:
            continue
        document = {name: each.plain() for name, each in node.entries().items()}
        try:
            catalog = load_catalog((*documents, document))
            documents.append(document)
        except CatalogError as error:
            problems.append(node.problem(str(error), error.hint))
    if not problems:
        problems += check_relations(tree.catalog, catalog)
    return catalog, problems
