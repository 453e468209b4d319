"""A strict reader of YAML: every scalar is text, every value has a place, and what surprises is refused.

It works on the parser's events instead of composed nodes, so that depth and size are capped while reading and
nesting can never exhaust the stack.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import yaml

from reconciler.desired.node import Node, shown
from reconciler.desired.problem import Problem

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 32
MAX_NODES = 100_000
MAX_PROBLEMS = 1_000
BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
# Control and bidirectional characters, and line breaks that editors count differently.
UNSEEN = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"
)
NOTHING = frozenset({"", "~", "null", "Null", "NULL"})


def read_yaml(file: str, data: bytes) -> tuple[Node | None, list[Problem]]:
    """Read one document; None where it cannot be parsed at all."""
    text = decode(file, data)
    if isinstance(text, Problem):
        return None, [text]
    reader = _Reader(file)
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            if not reader.take(event):
                break
    except yaml.YAMLError as error:
        return None, [*reader.problems, _syntax(file, text, error)]
    if reader.root is None and not reader.problems:
        reader.problems.append(Problem(file, 1, 1, "the file is empty", "remove it or fill it"))
    return (None if reader.stopped else reader.root), reader.problems


def decode(file: str, data: bytes, limit: int = MAX_BYTES) -> str | Problem:
    """Return the text of a file, or why it is none."""
    if len(data) > limit:
        return Problem(file, 1, 1, f"the file has {len(data)} bytes, more than {limit}", "split it")
    if data.startswith(BOMS):
        return Problem(file, 1, 1, "the file starts with a byte order mark", "save it as UTF-8 without one")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        return Problem(file, *_place(before), "the file is not UTF-8", "save it as UTF-8")
    if found := UNSEEN.search(text):
        what = f"character U+{ord(found.group()):04X} is not allowed"
        return Problem(file, *_place(text[: found.start()]), what, "remove it; it is invisible or changes the reading")
    return text


def _place(before: str) -> tuple[int, int]:
    lines = re.split(r"\r\n|\r|\n", before)
    return len(lines), len(lines[-1]) + 1


def _syntax(file: str, text: str, error: yaml.YAMLError) -> Problem:
    mark = getattr(error, "problem_mark", None)
    said = getattr(error, "problem", None) or "cannot be read"
    line, col = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    if "nesting depth" in said:  # libyaml has a limit of its own, which it meets while it looks ahead
        return Problem(file, line, col, f"values are nested deeper than {MAX_DEPTH}", "flatten them")
    lines = re.split(r"\r\n|\r|\n", text)
    here = lines[line - 1] if line <= len(lines) else ""
    if "\t" in here[: len(here) - len(here.lstrip())] or here[col - 1 : col] == "\t":
        return Problem(file, line, here.index("\t") + 1, "a tab is used where YAML wants spaces", "indent with spaces")
    return Problem(file, line, col, f"not YAML: {said}", _advice(said))


def _advice(said: str) -> str:
    if "mapping values" in said:
        return "a text that holds ': ' needs quotes"
    if "cannot start any token" in said:
        return "a text that starts with a special character needs quotes"
    return "look at indentation, quotes and brackets at and before this place"


@dataclass(slots=True)
class _Open:
    """A mapping or list that is being filled."""

    node: Node
    entries: dict[str, Node] | None
    items: list[Node] | None
    key: tuple[str, tuple[int, int]] | None = None


@dataclass(slots=True)
class _Reader:
    """Builds nodes from events; `take` returns False when reading on makes no sense."""

    file: str
    root: Node | None = None
    problems: list[Problem] = field(default_factory=list)
    stopped: bool = False
    nodes: int = 0
    documents: int = 0
    stack: list[_Open] = field(default_factory=list)

    def take(self, event: yaml.Event) -> bool:
        """Take one event."""
        if len(self.problems) >= MAX_PROBLEMS:
            return self._stop(event, f"reading stopped here, after {len(self.problems)} problems", "correct them first")
        if isinstance(event, yaml.DocumentStartEvent):
            return self._document(event)
        if isinstance(event, yaml.NodeEvent):
            return self._node(event)
        if isinstance(event, yaml.CollectionEndEvent):
            self._close()
        return True

    def _document(self, event: yaml.DocumentStartEvent) -> bool:
        self.documents += 1
        if event.version or event.tags:
            self._refuse(event, "a YAML directive", "remove the line that starts with %")
        if self.documents > 1:
            return self._stop(event, "a second document starts here", "one document a file; remove '---'")
        return True

    def _node(self, event: yaml.NodeEvent) -> bool:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            return self._stop(event, f"the file has more than {MAX_NODES} values", "split it")
        refused = self._refused(event)
        if isinstance(event, yaml.CollectionStartEvent):
            return self._open(event, refused=refused)
        text = event.value if isinstance(event, yaml.ScalarEvent) else ""
        if self.stack and self.stack[-1].entries is not None and self.stack[-1].key is None:
            self._key(event, text)
            return True
        if not refused and isinstance(event, yaml.ScalarEvent):
            refused = self._unfit(event)
        self._add(Node(self.file, *_at(event), text, refused=refused))
        return True

    def _refused(self, event: yaml.NodeEvent) -> bool:
        if isinstance(event, yaml.AliasEvent):
            return self._refuse(event, f"the alias {shown(str(event.anchor))}", "write the value out")
        if event.anchor is not None:
            self._refuse(event, f"the anchor {shown(event.anchor)}", "write the value out wherever it is needed")
        tag = getattr(event, "tag", None)
        if tag is not None:
            return self._refuse(event, f"the tag {shown(tag)}", "every scalar is text; remove the tag")
        return False

    def _unfit(self, event: yaml.ScalarEvent) -> bool:
        if not event.style and event.value in NOTHING:
            self._complain(event, "there is no value here", 'remove the key, or write "" for an empty text')
            return True
        if UNSEEN.search(event.value):
            self._complain(event, "the text holds a control character", "remove the escape sequence")
            return True
        return False

    def _key(self, event: yaml.NodeEvent, text: str) -> None:
        if isinstance(event, yaml.ScalarEvent):
            if text == "<<":
                self._refuse(event, "a merge key", "write the keys out")
            elif UNSEEN.search(text):
                self._complain(event, "the key holds a control character", "remove the escape sequence")
        self.stack[-1].key = (text, _at(event))

    def _open(self, event: yaml.CollectionStartEvent, *, refused: bool) -> bool:
        if self.stack and self.stack[-1].entries is not None and self.stack[-1].key is None:
            return self._stop(event, "a key must be text", "quote text that holds brackets or braces")
        if len(self.stack) >= MAX_DEPTH:
            return self._stop(event, f"values are nested deeper than {MAX_DEPTH}", "flatten them")
        mapping = isinstance(event, yaml.MappingStartEvent)
        node = Node(self.file, *_at(event), {} if mapping else (), refused=refused)
        self.stack.append(_Open(node, {} if mapping else None, None if mapping else []))
        return True

    def _close(self) -> None:
        closed = self.stack.pop()
        content = closed.entries if closed.entries is not None else tuple(closed.items or ())
        node = closed.node
        self._add(Node(node.file, node.line, node.col, content, refused=node.refused))

    def _add(self, node: Node) -> None:
        if not self.stack:
            self.root = node
            return
        parent = self.stack[-1]
        if parent.items is not None:
            parent.items.append(node)
        elif parent.entries is not None and parent.key is not None:
            self._enter(parent.entries, *parent.key, node)
            parent.key = None

    def _enter(self, entries: dict[str, Node], name: str, place: tuple[int, int], node: Node) -> None:
        if name == "<<":
            return  # complained about, and no key of ours
        first = entries.get(name)
        if first is None:
            entries[name] = Node(self.file, node.line, node.col, node.content, place, node.refused)
            return
        line, col = first.key or (first.line, first.col)
        what = f"key {shown(name)} stands here a second time, first at line {line}, column {col}"
        self.problems.append(Problem(self.file, *place, what, "remove one of the two"))

    def _refuse(self, event: yaml.Event, what: str, hint: str) -> bool:
        self._complain(event, f"{what} is not allowed", hint)
        return True

    def _stop(self, event: yaml.Event, what: str, hint: str) -> bool:
        self._complain(event, what, hint)
        self.stopped = True
        return False

    def _complain(self, event: yaml.Event, what: str, hint: str) -> None:
        self.problems.append(Problem(self.file, *_at(event), what, hint))


def _at(event: yaml.Event) -> tuple[int, int]:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)
