"""Compares a database with what a release leaves; the catalog's reference page explains the judgements."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from reconciler.domain.comparison import Comparison, Difference, Judgement
from reconciler.domain.structure import Expected, Part, SchemaObject, Structure

NO_FINGERPRINT = "no fingerprint: none of this release's code was run to see what it leaves"

_HARMLESS, _NOTABLE, _DAMAGING = Judgement
_COLUMN = re.compile(r"(?P<type>.+?) (?P<null>not null|null)(?: default (?P<default>'.*'))?(?P<rest>.*)")
_TEXTS = ("tinytext", "text", "mediumtext", "longtext")
_MISSING = {
    Part.TABLE: (_DAMAGING, "the release's code needs the table"),
    Part.COLUMN: (_DAMAGING, "the release's code needs the column"),
    Part.PRIMARY: (_DAMAGING, "without it rows can be doubled"),
    Part.UNIQUE: (_DAMAGING, "without it rows can be doubled"),
    Part.INDEX: (_NOTABLE, "questions get slow, and a later migration may look for it"),
    Part.FOREIGN: (_NOTABLE, "orphaned rows can come, and a later migration may look for it"),
}
_EXTRA = {
    Part.TABLE: (_NOTABLE, "other code left it; a later migration may want its name"),
    Part.COLUMN: (_NOTABLE, "other code left it; a later migration may want its name"),
    Part.PRIMARY: (_DAMAGING, "it refuses rows that the release writes"),
    Part.UNIQUE: (_NOTABLE, "it may refuse rows that the release writes"),
    Part.INDEX: (_HARMLESS, "a dump makes the implied indexes of foreign keys explicit"),
    Part.FOREIGN: (_NOTABLE, "it may refuse rows that the release writes"),
}


def uncompared() -> Comparison:
    """Return what is said where nothing is expected: never a guess."""
    return Comparison(uncompared=NO_FINGERPRINT)


def compare(expected: Expected, seen: Structure) -> Comparison:
    """Say what differs; of what the release's runs left differently, any is right."""
    if expected.engine != seen.engine:
        text = f"no fingerprint: what is expected was made on {expected.engine}, and this is {seen.engine}"
        return Comparison(uncompared=text)
    runs = [_by_table(run) for run in expected.runs]
    ours = _by_table(seen)
    found = [
        difference
        for table in sorted({*ours, *(table for run in runs for table in run)})
        for difference in _table(
            [run.get(table, frozenset()) for run in runs], ours.get(table, frozenset()), seen.rules_seen
        )
    ]
    note = "" if seen.rules_seen else "the account may not see what foreign keys do on delete and update"
    worst_first = sorted(found, key=lambda each: -list(Judgement).index(each.judgement))
    return Comparison(differences=tuple(worst_first), note=note)


@lru_cache(maxsize=128)
def _by_table(structure: Structure) -> Mapping[str, frozenset[SchemaObject]]:
    tables: dict[str, set[SchemaObject]] = defaultdict(set)
    for each in structure.objects:
        tables[each.table].add(each)
    return {name: frozenset(members) for name, members in tables.items()}


def _table(
    runs: list[frozenset[SchemaObject]], seen: frozenset[SchemaObject], rules_seen: bool
) -> Iterator[Difference]:
    """Compare one table; a whole one that is missing or extra is one difference."""
    if seen in runs:
        return
    heads = [each for each in seen.union(*runs) if each.part is Part.TABLE]
    if not any(runs):
        yield from (_difference(_EXTRA, None, head) for head in heads)
    elif not seen:
        if all(runs):
            yield _difference(_MISSING, heads[0], None)
    else:
        yield from _named(runs, seen)
        yield from _keys([_keys_of(run, rules_seen) for run in runs], _keys_of(seen, rules_seen))


def _difference(
    judgements: Mapping[Part, tuple[Judgement, str]], expected: SchemaObject | None, seen: SchemaObject | None
) -> Difference:
    part = next(each.part for each in (expected, seen) if each is not None)
    judgement, reason = judgements[part]
    return Difference(judgement=judgement, expected=expected, seen=seen, reason=reason)


# ---------------------------------------------------------------- the table itself and its columns


def _named(runs: list[frozenset[SchemaObject]], seen: frozenset[SchemaObject]) -> Iterator[Difference]:
    """Compare what is known by its name."""
    wanted: dict[tuple[Part, str], list[SchemaObject]] = defaultdict(list)
    for each in sorted({each for run in runs for each in run if each.part in {Part.TABLE, Part.COLUMN}}):
        wanted[each.part, each.name].append(each)
    ours = {(each.part, each.name): each for each in seen if each.part in {Part.TABLE, Part.COLUMN}}
    for key, forms in wanted.items():
        if key in ours and ours[key] not in forms:
            yield _changed(forms[-1], ours[key])
        elif key not in ours and all(any((each.part, each.name) == key for each in run) for run in runs):
            yield _difference(_MISSING, forms[-1], None)
    for key in sorted(ours.keys() - wanted.keys()):
        yield _extra_column(ours[key])


def _extra_column(seen: SchemaObject) -> Difference:
    if " not null" in seen.form and " default " not in seen.form and "auto_increment" not in seen.form:
        reason = "the release's code does not know it, and the server refuses rows without it"
        return Difference(judgement=_DAMAGING, expected=None, seen=seen, reason=reason)
    return _difference(_EXTRA, None, seen)


def _changed(expected: SchemaObject, seen: SchemaObject) -> Difference:
    """Judge another form of one column, or of the table itself, whose form is its character set."""
    judgement, reason = _HARMLESS, "the character set is the database's"
    ours, theirs = _COLUMN.fullmatch(seen.form), _COLUMN.fullmatch(expected.form)
    if seen.part is Part.COLUMN and ours and theirs:
        if ours["type"] != theirs["type"]:
            judgement, reason = _type_changed(theirs["type"], ours["type"])
        elif ours["null"] != theirs["null"]:
            judgement, reason = _DAMAGING, "rows are refused that the release writes, or kept that it cannot read"
        elif ("auto_increment" in ours["rest"]) != ("auto_increment" in theirs["rest"]):
            judgement, reason = _DAMAGING, "the release counts on the server to number its rows"
        else:
            judgement, reason = (
                _NOTABLE,
                "what the server fills in, or how it compares, is not what the release expects",
            )
    return Difference(judgement=judgement, expected=expected, seen=seen, reason=reason)


def _type_changed(expected: str, seen: str) -> tuple[Judgement, str]:
    if expected in _TEXTS and seen in _TEXTS[_TEXTS.index(expected) :]:
        return _NOTABLE, "it holds more; a change of the character set widens texts"
    return _DAMAGING, "values are cut, refused or read as something else"


# ---------------------------------------------------------------- keys

Deed = tuple[Part, str]
"""What a key does: its part and its form. Its name comes second."""

Keys = Mapping[Deed, SchemaObject]


def _keys_of(objects: Iterable[SchemaObject], rules_seen: bool) -> Keys:
    keys = sorted(each for each in objects if each.part not in {Part.TABLE, Part.COLUMN})
    return {(each.part, each.form if rules_seen else _place(each.form)): each for each in keys}


def _place(form: str) -> str:
    """Return a key's form without what a foreign key does on delete and update."""
    return form.partition(" on ")[0]


def _keys(runs: list[Keys], seen: Keys) -> Iterator[Difference]:
    """Compare keys by what they do."""
    wanted = {deed: [run[deed].name for run in runs if deed in run] for run in runs for deed in run}
    extra = {deed: key for deed, key in seen.items() if deed not in wanted}
    for deed, names in sorted(wanted.items()):
        key = next(run[deed] for run in runs if deed in run)
        if deed not in seen and len(names) == len(runs):
            yield _missing_key(key, seen, extra)
        elif deed in seen and seen[deed].name not in names:
            reason = "engines and libraries name keys differently"
            yield Difference(judgement=_HARMLESS, expected=key, seen=seen[deed], reason=reason)
    for key in extra.values():
        yield _difference(_EXTRA, None, key)


def _missing_key(key: SchemaObject, seen: Keys, extra: dict[Deed, SchemaObject]) -> Difference:
    """Judge a key whose work nothing does; what stands in its place is taken out of `extra`."""
    longer = f"{key.form[:-1]},"
    if key.part is Part.INDEX and any(part in _SORTED and form.startswith(longer) for part, form in seen):
        return Difference(judgement=_HARMLESS, expected=key, seen=None, reason="a longer index covers it")
    for deed, other in extra.items():
        if deed[0] is key.part and (key.part is Part.PRIMARY or _place(other.form) == _place(key.form)):
            del extra[deed]
            return _difference(_MISSING, key, other)
    return _difference(_MISSING, key, None)


_SORTED = {Part.PRIMARY, Part.UNIQUE, Part.INDEX}
