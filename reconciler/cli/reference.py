"""docs/reference/cli.md, made from the verbs themselves."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from enum import Enum
from typing import Any

from typer.main import get_command

from reconciler.cli.verbs import app

HEADING = """\
# Command line

Generated from the verbs by `make generate`; do not edit.

`reconciler VERB -h` says the same. Results go to stdout, progress, logs and errors to stderr. `-o json` is a contract,
described in [json.md](json.md); `-o yaml` is the same data. `NO_COLOR` is honoured. `reconciler --install-completion`
sets up completion for bash, zsh, fish or PowerShell. `route`, `validate`, `plan DIR` and `diff DIR` need no daemon, no
keys and no network.

| exit code | meaning |
| --- | --- |
| 0 | done; `route`: there is one; `diff`: same; `plan --detailed-exitcode`: nothing to do; `run --once`: in sync |
| 1 | failed or refused; `route`: there is none; `diff`: differs; `plan --detailed-exitcode`: blocked |
| 2 | the command line makes no sense; `diff`: cannot be told; `plan --detailed-exitcode`: changes |
| 130 | interrupted |

Errors are `error: what` and `hint: what to do`. Verbs that change something leave a command in the daemon's store,
under the name of the caller (the person behind sudo), and wait for the daemon's answer; without one the command is
kept, and the next daemon carries it out.
"""


def reference() -> str:
    """Write the page."""
    group: Any = get_command(app)
    parts = [HEADING]
    for name, command in group.commands.items():
        below = getattr(command, "commands", None)
        if below:
            for inner, each in below.items():
                parts += _verb(f"{name} {inner}", each)
        else:
            parts += _verb(name, command)
    return "\n".join(parts) + "\n"


def _verb(name: str, command: Any) -> Iterator[str]:  # noqa: ANN401 - click is part of typer or beside it, by version
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    options = [each for each in command.params if each.param_type_name == "option"]
    words = " ".join(_word(each) for each in arguments)
    yield from ("", f"## {' '.join(filter(None, ('reconciler', name, words)))}", "")
    yield inspect.cleandoc(command.help or "")
    rows = [(f"`{_word(each)}`", each) for each in arguments]
    rows += [(", ".join(f"`{opt}`" for opt in each.opts), each) for each in options if each.name != "help"]
    if rows:
        yield from ("", "| | |", "| --- | --- |")
        yield from (f"| {shown} | {_text(each)} |" for shown, each in rows)


def _word(argument: Any) -> str:  # noqa: ANN401 - as above
    return str(argument.metavar or argument.name.upper())


def _text(param: Any) -> str:  # noqa: ANN401 - as above
    default = param.default
    if isinstance(default, Enum):
        choices = ", ".join(f"`{each.value}`" for each in type(default))
        return f"{param.help} One of {choices}; default `{default.value}`."
    if default is None or isinstance(default, bool | list | tuple) or not str(default):
        return str(param.help or "")
    return f"{param.help} Default: {default}."
