"""Checks placeholders against what a place knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from reconciler.desired.node import Node, scalars
from reconciler.desired.problem import Problem
from reconciler.domain.placeholder import PLACEHOLDER, SECRET
from reconciler.domain.release import near_miss


@dataclass(frozen=True, slots=True)
class Scope:
    """What placeholders may stand at a place; `secrets` None: no secret may, because the text is not kept secret."""

    words: frozenset[str]
    secrets: frozenset[str] | None = None
    reader: str = ""  # on whose behalf, where a text serves several
    strict: bool = True  # False: an unknown word is text
    lacking: Mapping[str, str] = field(default_factory=dict)  # variable that some hosts have, to one that has not


def check_text(node: Node, scope: Scope) -> Iterator[Problem]:
    """Yield what is wrong with the placeholders in every text under `node`."""
    for each in scalars(node):
        if isinstance(each.content, str) and not each.refused:
            for _, what, hint in unknown(each.content, scope):
                yield each.problem(what, hint)


def check_template(file: str, text: str, scope: Scope) -> Iterator[Problem]:
    """Yield what is wrong with the placeholders in a template, each at its own line and column."""
    for start, what, hint in unknown(text, scope):
        before = text[:start]
        yield Problem(file, before.count("\n") + 1, start - before.rfind("\n"), what, hint)


def unknown(text: str, scope: Scope) -> Iterator[tuple[int, str, str]]:
    """Yield offset, complaint and hint for each placeholder that cannot be filled."""
    reader = f" for {scope.reader}" if scope.reader else ""
    for found in PLACEHOLDER.finditer(text):
        word = found.group(1)
        if not word.startswith(SECRET):
            if word in scope.lacking:
                yield found.start(), f"host {scope.lacking[word]} has no variable {word}{reader}", "give it one"
            elif scope.strict and word not in scope.words:
                yield found.start(), f"unknown placeholder {{{word}}}{reader}", near_miss(word, scope.words)
        elif scope.secrets is None:
            hint = "secrets belong into headers, bodies and configuration files"
            yield found.start(), f"a secret must not stand here: {{{word}}}", hint
        elif word.removeprefix(SECRET) not in scope.secrets:
            name = word.removeprefix(SECRET)
            yield found.start(), f"unknown secret {name!r}{reader}", near_miss(name, scope.secrets, "secrets")
