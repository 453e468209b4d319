from __future__ import annotations

import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.adapters.script import quote, render_script, render_secrets
from reconciler.domain.effect import HostScript

SHELLS = [shell.split() for shell in ("dash", "busybox sh", "bash", "sh") if shutil.which(shell.split()[0])]
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)
HARD = "'\"\\ $(reboot) `id` \n\r\t ${x} * ? [a] ~ # ! \x01\x7f é 名 -n --\n"


def run(shell: list[str], script: str) -> list[str]:
    done = subprocess.run([*shell, "-c", script], stdout=subprocess.PIPE, check=True, stdin=subprocess.DEVNULL)
    return done.stdout.decode().split("\0")[:-1]


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
@settings(max_examples=25, deadline=None)
@given(args=st.lists(TEXT, max_size=4), value=TEXT, secret=TEXT)
def test_any_text_survives_every_shell(shell: list[str], args: list[str], value: str, secret: str) -> None:
    body = r"""printf '%s\0' "$@" "$SECRET"; printenv -0 VALUE"""
    script = render_script(HostScript(body=body, args=("-", *args), env={"VALUE": value}))
    assert run(shell, render_secrets({"SECRET": secret}) + script) == ["-", *args, secret, value]


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_hard_text_survives_being_quoted_twice(shell: list[str]) -> None:
    inner = render_script(HostScript(body=r"""printf '%s\0' "$@" """, args=(HARD, "", " ")))
    assert run(shell, f"eval {quote([inner])}") == [HARD, "", " "]


def test_a_script_reads_as_environment_arguments_body() -> None:
    script = HostScript(body='echo "$1"', args=("a b",), env={"LANG": "C"})
    assert render_script(script) == "export LANG=C\nset -- 'a b'\necho \"$1\"\n"


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_a_secret_is_not_exported_even_when_its_name_was(shell: list[str]) -> None:
    script = (
        "export TOKEN=old\n"
        + render_secrets({"TOKEN": "new"})
        + r"""printf '%s\0' "$TOKEN"; env -0 | grep -z ^TOKEN="""
    )
    assert run(shell, script + "; :") == ["new"]


@pytest.mark.parametrize("word", ["a\0b", "\ud800"])
def test_what_no_shell_can_hold_is_refused(word: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - NUL and surrogates have different words
        quote([word])


@pytest.mark.parametrize("name", ["", "1a", "a-b", "a b", "a\n", "$(id)", "é"])
def test_only_names_of_variables_are_assigned(name: str) -> None:
    with pytest.raises(ValueError, match="not a name"):
        render_secrets({name: "x"})
    with pytest.raises(ValueError, match="not a name"):
        render_script(HostScript(body="", env={name: "x"}))
