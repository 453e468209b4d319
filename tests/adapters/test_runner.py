from __future__ import annotations

import shutil
import subprocess
from base64 import b64encode
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.adapters.runner import Reply, ask, command, forget, path, request
from reconciler.domain.desired import Host, Login
from reconciler.domain.outcome import Exited
from reconciler.domain.step_key import StepKey
from reconciler.ports import Answer, Died, Fenced, NeverStarted, Running

SHELLS = [shell for shell in ("dash", "busybox sh", "bash") if shutil.which(shell.split()[0])]
HOST = Host(name="alpha", address="alpha.example", state_dir="/state")
ANSWER = b"""Last login: never
value noise=1
reconciler 1
0 running
value pid=7
value a b=2
value text=x=y
aGkK
aG8K
0 exited 3
1 never
2 died
3 rebooted
4 fenced 12
5 answered 0
/w==
6 answered 127
end of answer
7 never
"""


@given(st.lists(st.integers(0, len(ANSWER)), max_size=5))
def test_an_answer_reads_the_same_however_it_is_cut(cuts: list[int]) -> None:
    reply, places = Reply(), [0, *sorted(cuts), len(ANSWER)]
    for start, end in pairwise(places):
        reply.feed(ANSWER[start:end])
    assert reply.steps == {
        0: Exited(3, "hi\nho\n", {"pid": "7", "text": "x=y"}),
        1: NeverStarted(),
        2: Died(rebooted=False),
        3: Died(rebooted=True),
        4: Fenced(12),
    }
    assert reply.answers == {5: Answer(0, b""), 6: Answer(127, b"\xff")}
    assert (reply.greeted, reply.ended, reply.broken, reply.refused) == (True, True, "", "")


def test_a_running_step_is_known_before_the_answer_ends() -> None:
    reply = Reply()
    reply.feed(b"reconciler 1\n0 running\n")
    assert (reply.steps, reply.ended) == ({0: Running()}, False)


@pytest.mark.parametrize(
    "line", [b"0 dancing", b"zero died", b"0 exited", b"0 exited x", b"0 answered \xff", b"????\n0 exited 0"]
)
def test_what_cannot_be_read_breaks_the_answer(line: bytes) -> None:
    reply = Reply()
    reply.feed(b"reconciler 1\n" + line + b"\nend of answer\n")
    assert reply.broken
    assert not reply.ended


@given(st.binary(max_size=200))
def test_no_answer_makes_the_reader_stumble(noise: bytes) -> None:
    Reply().feed(b"reconciler 1\n" + noise + b"\n")


@given(st.binary(max_size=200))
def test_output_arrives_as_it_was(output: bytes) -> None:
    reply = Reply()
    reply.feed(b"reconciler 1\n" + b64encode(output) + b"\n0 answered 0\n")
    assert reply.answers == {0: Answer(0, output)}


@pytest.mark.parametrize(
    ("output", "kept"),
    [
        (b"whole secret\n", "whole secret\n"),
        (b"ret\n" + b"x" * 65532, "x" * 65532),
        (b"x" * 65536, "x" * 61440),
    ],
)
def test_a_capped_output_begins_with_a_whole_line(output: bytes, kept: str) -> None:
    reply = Reply()
    reply.feed(b"reconciler 1\n" + b64encode(output) + b"\n0 exited 0\n")
    assert reply.steps == {0: Exited(0, kept, {})}


def test_a_refusal_is_cleaned() -> None:
    reply = Reply()
    reply.feed(b"reconciler 1\nrefused cannot write to /state\x1b[2J\nend of answer\n")
    assert (reply.refused, reply.ended) == ("cannot write to /state", True)


@pytest.mark.parametrize(
    "key", [("..", "s", 1), ("r", "a/b", 1), ("r", "", 1), ("r", "s", 0), (".hidden", "s", 1), ("r", "s\n", 1)]
)
def test_a_key_is_a_path_of_plain_names(key: tuple[str, str, int]) -> None:
    with pytest.raises(ValueError, match=r"plain name|counted from 1"):
        path(StepKey(*key))


def test_runs_to_forget_are_plain_names() -> None:
    assert forget(HOST, ["run-1", "run@2"]) == "forget /state run-1 run@2"
    with pytest.raises(ValueError, match="plain name"):
        forget(HOST, ["run-1", "*"])


def test_several_keys_go_in_one_request() -> None:
    assert ask(HOST, [StepKey("r", "a", 1), StepKey("r", "b+c", 2)]) == "ask /state r/a/1 r/b+c/2"


def test_sudo_is_put_before_the_shell() -> None:
    sudo = Host(name="beta", address="beta.example", login=Login(user="ops", become="sudo"))
    assert command(HOST) == "exec /bin/sh -s"
    assert command(sudo) == "exec sudo -n -- /bin/sh -s"


@pytest.mark.parametrize("shell", SHELLS)
def test_a_request_that_arrived_only_partly_does_nothing(shell: str) -> None:
    whole = request("say 'did something' '} ; }\n}' ", shell).rstrip(b"\n")
    line = ["sh", "-c", command(HOST, shell)]
    done = subprocess.run(line, input=whole, stdout=subprocess.PIPE, check=True)
    assert done.stdout == b"reconciler 1\ndid something } ; }\n}\nend of answer\n"
    for arrived in (0, 1, 2, 100, len(whole) // 2, *range(len(whole) - 40, len(whole))):
        cut = subprocess.run(
            line, input=whole[:arrived], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False
        )
        assert cut.stdout == b"", whole[:arrived]
