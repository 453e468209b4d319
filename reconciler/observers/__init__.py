"""One file per observer: a probe and a pure parse. The folder is the registry."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from importlib import import_module
from typing import Any, Protocol, cast

from reconciler.domain.desired import Host, Service
from reconciler.domain.observation import Absent, HostReport, Known, Unknown
from reconciler.domain.reasons import Reason
from reconciler.ports import Answer, Question

Seen = Mapping[str, Known[Any] | Absent | Unknown]


class ParseError(ValueError):
    """An answer cannot be read with certainty; becomes Unknown."""


class Observer(Protocol):
    """What a module of this room offers; its name is the prefix of its questions' keys.

    Services come as they are resolved for the host: placeholders of their builds, units and folders are filled.
    """

    FIELD: str  # where HostReport keeps it

    def questions(self, host: Host, services: Iterable[Service]) -> tuple[Question, ...]:
        """Name what is asked of a host for the services it bears."""
        ...

    def subjects(self, question: Question) -> tuple[str, ...]:
        """Name what a question is about, so that no answer leaves each of it Unknown."""
        ...

    def parse(self, answer: Answer, at: datetime) -> Seen:
        """Read an answer: subject to what was seen; raises ParseError and nothing else."""
        ...


@cache
def observers() -> Mapping[str, Observer]:
    """Return every observer by name, sorted."""
    names = sorted(info.name for info in pkgutil.iter_modules(__path__) if not info.name.startswith("_"))
    return {name: cast("Observer", import_module(f"{__name__}.{name}")) for name in names}


def compose(host: Host, services: Iterable[Service]) -> tuple[Question, ...]:
    """Name everything that one round trip asks of a host for the services it bears."""
    borne = tuple(services)
    return tuple(question for one in observers().values() for question in one.questions(host, borne))


def read_report(questions: Iterable[Question], answers: Mapping[str, Answer], at: datetime) -> HostReport:
    """Read the answers to the questions of `compose`; what has none, or none that can be read, is Unknown."""
    seen: dict[str, dict[str, Known[Any] | Absent | Unknown]] = {one.FIELD: {} for one in observers().values()}
    for question in questions:
        observer = observers()[question.key.partition(":")[0]]
        seen[observer.FIELD] |= _read(observer, question, answers.get(question.key), at)
    nothing = Unknown(Reason.HOST_NOT_ASKED, "the host was not asked for its facts", at)
    facts = seen.pop("facts").get("host", nothing)
    return HostReport(facts=facts, **seen)


def _read(observer: Observer, question: Question, answer: Answer | None, at: datetime) -> Seen:
    subjects = observer.subjects(question)
    if answer is None:
        return dict.fromkeys(subjects, Unknown(Reason.HOST_NOT_ASKED, f"no answer to {question.key}", at))
    try:
        seen = observer.parse(answer, at)
    except ParseError as error:
        return dict.fromkeys(subjects, Unknown(Reason.HOST_OUTPUT_INVALID, f"{question.key}: {error}", at))
    missing = Unknown(Reason.HOST_OUTPUT_INVALID, f"{question.key}: the answer leaves it out", at)
    return {**dict.fromkeys(subjects, missing), **seen}
