import pytest
from pydantic import ValidationError

from reconciler.steps import command


def test_every_element_of_argv_arrives_whole(sandbox):
    odd = ["a b", "$(reboot)", "`id`", "'", '"', "*", "-n", "", "a\nb", "\\", "é"]
    script = command.effect(command.Model(argv=("/usr/bin/printf", "[%s]", *odd)))
    assert sandbox.run(script).output == "".join(f"[{one}]" for one in odd)


def test_environment_and_folder_and_exit_code_are_those_of_the_command(sandbox):
    args = command.Model(argv=("sh", "-c", 'pwd; echo "$WORD"; exit 3'), env={"WORD": "a b"}, cwd=str(sandbox.home))
    exited = sandbox.run(command.effect(args))
    assert (exited.code, exited.output) == (3, f"{sandbox.home}\na b\n")


def test_a_missing_folder_or_program_fails(sandbox):
    assert sandbox.run(command.effect(command.Model(argv=("true",), cwd="/no/such"))).code != 0
    assert sandbox.run(command.effect(command.Model(argv=("no-such-program",)))).code == 127


def test_an_empty_argv_is_refused():
    with pytest.raises(ValidationError):
        command.Model(argv=())
