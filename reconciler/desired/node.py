"""Values of a YAML file with their places."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from reconciler.desired.problem import Problem

Plain = str | dict[str, "Plain"] | list["Plain"]


@dataclass(frozen=True, slots=True)
class Node:
    """A value and its place. `key` is the place of its key, where it stands in a mapping.

    A `refused` node was already complained about; what follows from it need not be.
    """

    file: str
    line: int
    col: int
    content: str | Mapping[str, Node] | tuple[Node, ...]
    key: tuple[int, int] | None = None
    refused: bool = False

    def plain(self) -> Plain:
        """Return the value without places."""
        if isinstance(self.content, str):
            return self.content
        if isinstance(self.content, tuple):
            return [each.plain() for each in self.content]
        return {name: each.plain() for name, each in self.content.items()}

    def at(self, *path: str | int) -> Node:
        """Walk down `path` as far as it goes."""
        node = self
        for step in path:
            below = node.below(step)
            if below is None:
                break
            node = below
        return node

    def below(self, step: str | int) -> Node | None:
        """Return the child under a key or an index."""
        if isinstance(self.content, tuple):
            return self.content[step] if isinstance(step, int) and step < len(self.content) else None
        return self.content.get(str(step)) if isinstance(self.content, Mapping) else None

    def entries(self) -> Mapping[str, Node]:
        """Return the children of a mapping, nothing for what is none."""
        return self.content if isinstance(self.content, Mapping) else {}

    def problem(self, what: str, hint: str = "") -> Problem:
        """Complain about the value."""
        return Problem(self.file, self.line, self.col, what, hint)

    def key_problem(self, what: str, hint: str = "") -> Problem:
        """Complain about the key, or the value where there is none."""
        line, col = self.key or (self.line, self.col)
        return Problem(self.file, line, col, what, hint)


def shown(text: str, most: int = 60) -> str:
    """Quote a text of the file for a message: escaped and cut."""
    return repr(text if len(text) <= most else f"{text[:most]}...")


def scalars(node: Node) -> Iterator[Node]:
    """Yield every text under a node, in order."""
    if isinstance(node.content, str):
        yield node
    else:
        children = node.content if isinstance(node.content, tuple) else node.content.values()
        for child in children:
            yield from scalars(child)
