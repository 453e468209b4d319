"""The reference page names everything that the catalog may hold."""

from pathlib import Path

import pytest

from reconciler.catalog.models import EraModel, ServiceModel
from reconciler.catalog.rule_model import RuleModel
from reconciler.domain.marker import Stage
from reconciler.domain.rule import RuleKind, Verified
from reconciler.domain.schema import SchemaState

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "catalog.md").read_text("utf-8")


@pytest.mark.parametrize("word", [*RuleKind, *Stage, *Verified, *SchemaState])
def test_every_word_of_the_form_is_explained(word: str) -> None:
    assert str(word) in PAGE


@pytest.mark.parametrize("model", [RuleModel, ServiceModel, EraModel])
def test_every_key_is_explained(model: type[RuleModel | ServiceModel | EraModel]) -> None:
    for name, field in model.model_fields.items():
        assert f"`{field.alias or name}" in PAGE, name
