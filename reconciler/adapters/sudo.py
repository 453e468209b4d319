"""The right to become root on a host: what sudoers must say, what else it says, and why sudo said no."""

from __future__ import annotations

import re

from reconciler.domain.desired import Host
from reconciler.domain.reasons import Reason
from reconciler.domain.text import clean_text
from reconciler.ports import Answer, Question, Unreachable

COMMAND = "/bin/sh -s"
"""All that the login user runs through sudo: a shell that reads the runner and its orders from its input."""

_RULE = f"(root) NOPASSWD: {COMMAND}"
_DEFAULT = re.compile(r"(!?)\b(log_input|log_stdin)\b")
_TAG = re.compile(r"\b(LOG_INPUT|LOG_STDIN):")
_REFUSALS = (
    (r"password is required|authentication is required", "sudo asks for a password"),
    (r"not allowed|not in the sudoers|may not run|I'm afraid I can't", "sudoers does not let the user do it"),
    (r"must have a tty", "sudo wants a terminal (`requiretty`)"),
    (r"sudo: (command )?not found|sudo: No such file", "sudo is not installed"),
)


def sudoers(user: str) -> str:
    """Write the file for /etc/sudoers.d that lets a login user do what the daemon needs, and nothing else.

    sudo is kept from storing what it passes on: the orders on standard input hold secrets.
    """
    return f"""\
Defaults:{user} !requiretty, !log_input, !log_output
{user} ALL=(root) NOPASSWD: {COMMAND}
"""


def question(host: Host) -> Question:
    """Ask, as root, what sudo grants to the login user."""
    return Question("sudo", 'sudo -n -l -U "$1"', (host.login.user,))


def judge(host: Host, answer: Answer | None) -> Unreachable | str:
    """Say what sudo grants beyond what is needed; nothing when the host has just the lines of `sudoers`.

    Unreachable where sudo stores what it passes on: the secrets of steps would lie on the host's disk.
    """
    user = host.login.user
    if answer is None or answer.code != 0:
        return f"what sudo grants to {user} could not be listed"
    listing = clean_text(answer.output, 65536)
    if _stores_input(listing):
        text = f"{host.name}: sudo stores what {user} passes to it (`log_input`), with the secrets of steps in it"
        return Unreachable(Reason.HOST_SUDO_REFUSED, text)
    rules = [line.strip() for line in listing.partition("may run the following")[2].splitlines()[1:] if line.strip()]
    more = [rule for rule in rules if rule != _RULE]
    return f"{user} may do more by sudo than the daemon needs: {'; '.join(more)}" if more else ""


def _stores_input(listing: str) -> bool:
    """Tell whether the orders would be stored: of what is said of an option several times, the last holds."""
    last = {name: denied for denied, name in _DEFAULT.findall(listing)}
    return "" in last.values() or bool(_TAG.search(listing))


def refusal(host: Host, status: int, errors: str) -> str:
    """Say why a user could not become root, by what sudo said."""
    told = next((text for pattern, text in _REFUSALS if re.search(pattern, errors)), "the shell was not started")
    return f"{host.name}: {host.login.user} cannot run `{COMMAND}` by sudo: {told} (ended with {status}: {errors})"
