"""What is asked of packages, whatever manager they have."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.domain.desired import Service
from reconciler.ports import Question


def asked(kind: str, script: str, form: str, services: Iterable[Service]) -> tuple[Question, ...]:
    """Ask for every package that a build of this form names."""
    builds = (build for service in services for build in service.builds.values() if build.form == form)
    names = {name for build in builds for name in build.packages}
    return (Question(kind, script, tuple(sorted(names))),) if names else ()
