"""Lets a database's structure decide where its marker means several releases, and contradict it where it lies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from reconciler.domain.catalog import Service
from reconciler.domain.comparison import Comparison, Judgement
from reconciler.domain.schema import Identification, SchemaState, StructureFinding
from reconciler.domain.structure import Knowledge, Structure
from reconciler.planning.marker import matches
from reconciler.planning.structure import compare

Claim = tuple[str, ...]


def settle(service: Service, found: Identification, seen: Structure, database: str, known: Knowledge) -> Identification:
    """Weigh what the marker says with the structure; without tables there is nothing to weigh."""
    if found.state is SchemaState.EMPTY or not seen.objects:
        return found
    compared = {release: compare(expected, seen) for release, expected in known.expected.items()}
    told = {release: one for release, one in compared.items() if not one.uncompared}
    if not told:
        text = next((one.uncompared for one in compared.values()), "no fingerprint: this service's code was not run")
        return replace(found, structure=StructureFinding(text=text))
    owner = _owner(seen, known.tables, f"{service.name} {database}")
    if found.state is SchemaState.BETWEEN:
        return _between(found, told)
    if not found.claims:
        return _unplaced(found, told, owner)
    trusted = [each for each in found.claims if each in told and _is_final(service, database, each, found)]
    if not trusted:
        text = f"no fingerprint: the code of {', '.join(found.claims)} was not run"
        return replace(found, structure=StructureFinding(releases=_sound(told), text=text))
    return _weighed(found, told, trusted, owner)


def _is_final(service: Service, database: str, release: str, found: Identification) -> bool:
    """Tell whether the marker is that of a release's last package, of which alone the structure is known."""
    return matches(service.database(database), service.at(release).schema[database][0], found.marker)


def _sound(compared: Mapping[str, Comparison]) -> Claim:
    return tuple(release for release, one in compared.items() if one.sound)


def _nearest(compared: Mapping[str, Comparison], releases: Iterable[str]) -> str:
    """Return the release with the fewest of the worst differences; the oldest of several."""
    return min(releases, key=lambda name: [compared[name].counts.get(each, 0) for each in reversed(Judgement)])


def _owner(seen: Structure, tables: Mapping[str, frozenset[str]], asked: str) -> str:
    """Say whose tables these are, when they are more like another service's than those of the one asked for."""
    shares = {name: len(seen.tables & theirs) / len(seen.tables | theirs) for name, theirs in tables.items()}
    best = max(shares, key=lambda name: (shares[name], name == asked))
    if shares[best] <= shares.get(asked, 0) or shares[best] < 0.5:
        return ""
    return f" Its tables are those of {best}: is this the right database?"


def _weighed(
    found: Identification, compared: Mapping[str, Comparison], trusted: list[str], owner: str
) -> Identification:
    """Judge a marker that names releases of which at least one has a fingerprint."""
    sound = _sound(compared)
    agreed = [each for each in trusted if each in sound]
    if agreed:
        kept = tuple(each for each in found.claims if each in agreed or each not in trusted)
        return _agreed(found, kept, StructureFinding(releases=sound, text=_is_that_of(agreed)))
    nearest = _nearest(compared, trusted)
    finding = StructureFinding(releases=sound, nearest=nearest, comparison=compared[nearest])
    if sound:
        text = f"{_is_that_of(sound)} The version was set by hand, or rows and tables are of two databases."
        return _contradicted(found, replace(finding, text=text + owner))
    listed = f"Its structure differs from that of {nearest}: {compared[nearest].told}: {compared[nearest].listed}."
    finding = replace(finding, text=listed + owner)
    kept = tuple(each for each in found.claims if each in compared and compared[each].worst is Judgement.NOTABLE)
    if kept and found.state is SchemaState.AT and not owner:
        return replace(found, releases=kept, text=f"{found.text} {listed}", structure=finding)
    return _contradicted(found, finding)


def _is_that_of(releases: Iterable[str]) -> str:
    return f"Its structure is that of {', '.join(releases)}."


def _agreed(found: Identification, kept: Claim, finding: StructureFinding) -> Identification:
    if found.state is SchemaState.AT:
        return replace(found, releases=kept, text=f"{found.text} {finding.text}", structure=finding)
    left = "An empty alembic_version is left over from an upgrade that newer code refused"
    text = f"{finding.text} {left}; it changed nothing else."
    return replace(found, state=SchemaState.AT, releases=kept, text=text, structure=finding)


def _contradicted(found: Identification, finding: StructureFinding) -> Identification:
    claim = "" if found.state is SchemaState.UNKNOWN else " The marker cannot be trusted."
    text = f"{found.text}{claim} {finding.text}"
    return replace(found, state=SchemaState.UNKNOWN, releases=(), text=text, structure=finding)


def _between(found: Identification, compared: Mapping[str, Comparison]) -> Identification:
    """Tell how far the structure is, on the way between two releases."""
    sides = [side for side in found.between or () if side in compared]
    text = " ".join(f"Against {side} its structure has: {compared[side].told}." for side in sides)
    nearest = _nearest(compared, sides) if sides else ""
    finding = StructureFinding(
        releases=_sound(compared), nearest=nearest, comparison=compared.get(nearest), text=text or "no fingerprint"
    )
    return replace(found, text=f"{found.text} {text}".rstrip(), structure=finding)


def _unplaced(found: Identification, compared: Mapping[str, Comparison], owner: str) -> Identification:
    """Say what a database without a readable marker looks like; a likeness is no position."""
    sound = _sound(compared)
    if sound:
        finding = StructureFinding(releases=sound, text=_is_that_of(sound) + owner)
    else:
        nearest = _nearest(compared, compared)
        text = f"Its structure is that of no release; {nearest} is nearest: {compared[nearest].told}.{owner}"
        finding = StructureFinding(nearest=nearest, comparison=compared[nearest], text=text)
    return replace(found, text=f"{found.text} {finding.text}", structure=finding)
