"""The command line: thin verbs over the rooms; each module is one verb or a small family."""

from __future__ import annotations

from reconciler.cli.verbs import app

__all__ = ["app", "main"]


def main() -> None:
    """Run one verb and exit: 0 done, 1 failed or refused, 2 usage, 130 interrupted."""
    app(prog_name="reconciler")
