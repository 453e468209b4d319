"""Knows the secrets of a desired state before anybody can repeat them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

from reconciler.domain.desired import Desired, SecretRef
from reconciler.domain.memo import memo
from reconciler.errors import SecretError
from reconciler.ports import Ports


def learn(desired: Desired, ports: Ports) -> None:
    """Read every secret that is named, so that it is redacted also where a step shows one that it was never given.

    A daemon that has just been started would not know it otherwise. What cannot be read is told by who needs it.
    """
    for ref in named_in(desired):
        with suppress(SecretError):
            ports.secrets.resolve(ref)


@memo
def named_in(desired: Desired) -> tuple[SecretRef, ...]:
    """List every secret that a desired state names, once and in order."""
    return tuple(sorted(set(_refs(desired)), key=lambda ref: (ref.kind, ref.origin)))


def _refs(value: object) -> Iterator[SecretRef]:
    if isinstance(value, SecretRef):
        yield value
    elif isinstance(value, Mapping):
        yield from _of_all(value.values())
    elif isinstance(value, tuple | frozenset):
        yield from _of_all(value)
    else:
        kind: Any = type(value)
        yield from _of_all(getattr(value, name) for name in _fields(kind))


def _of_all(values: Iterable[object]) -> Iterator[SecretRef]:
    return (ref for value in values if not isinstance(value, str) for ref in _refs(value))


@cache
def _fields(kind: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind)) if is_dataclass(kind) else ()
