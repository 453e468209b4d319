"""Knows the secrets of a desired state before anybody can repeat them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import fields, is_dataclass

from reconciler.domain.desired import Desired, SecretRef
from reconciler.errors import SecretError
from reconciler.ports import Ports


def learn(desired: Desired, ports: Ports) -> None:
    """Read every secret that is named, so that it is redacted also where a step shows one that it was never given.

    A daemon that has just been started would not know it otherwise. What cannot be read is told by who needs it.
    """
    for ref in named_in(desired):
        with suppress(SecretError):
            ports.secrets.resolve(ref)


def named_in(desired: Desired) -> list[SecretRef]:
    """List every secret that a desired state names, once and in order."""
    return sorted(set(_refs(desired)), key=lambda ref: (ref.kind, ref.origin))


def _refs(value: object) -> Iterator[SecretRef]:
    match value:
        case SecretRef():
            yield value
        case Mapping():
            for each in value.values():
                yield from _refs(each)
        case tuple() | frozenset():
            for each in value:
                yield from _refs(each)
        case _ if is_dataclass(value):
            for each in fields(value):
                yield from _refs(getattr(value, each.name))
