"""No secret and no control character comes out of the log, wherever it went in."""

from __future__ import annotations

import io
import json
import logging
import sys
import threading
from collections.abc import Iterator

import pytest
import structlog

from reconciler.adapters.log import configure
from reconciler.adapters.redactor import REDACTED, Redactor
from reconciler.domain.text import clean

CANARY = "c4nary-secret"
EVIL = "\x1b]0;owned\x07\x1b[31mred\x9b31m\u202egpj\x00\rover"


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    hooks = sys.excepthook, threading.excepthook
    yield
    sys.excepthook, threading.excepthook = hooks
    root.handlers, root.level = handlers, level
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


@pytest.fixture(params=["json", "console"])
def log(request: pytest.FixtureRequest) -> io.StringIO:
    stream = io.StringIO()
    redactor = Redactor()
    redactor.learn(CANARY)
    configure(request.param, "debug", redactor, stream)
    return stream


def everywhere(secret: str) -> None:
    """Log a text by every way there is."""
    logger = structlog.get_logger("test").bind(bound=secret)
    logger.info(secret, key=secret, nested={"a": [secret, {"b": (secret,)}]}, raw=secret.encode("utf-8", "replace"))
    logger.info("key", **{secret: 1})
    logger.warning("error", error=ValueError(secret))
    with structlog.contextvars.bound_contextvars(context=secret):
        logger.info("context")
    logging.getLogger("foreign").warning("message %s", secret)
    logging.getLogger("foreign").warning(secret, stack_info=True)
    try:
        int(secret)
    except ValueError:
        logger.exception("failed")
        logging.getLogger("foreign").exception("failed")


def test_no_secret_comes_out(log):
    everywhere(CANARY)

    assert CANARY not in log.getvalue()
    assert log.getvalue().count(REDACTED) >= 12


def test_a_secret_in_disguise_does_not_come_out(log):
    structlog.get_logger().info("c4nary\x00-sec\u200bret", url="mysql://u:c4nary-secret@db")

    assert "c4nary" not in log.getvalue()


def test_no_control_character_comes_out(log):
    everywhere(EVIL)

    assert clean(log.getvalue()) == log.getvalue()
    log.getvalue().encode()


def test_host_output_cannot_forge_a_line(log):
    structlog.get_logger().info("output", text="ok\n2026-01-01 [info] canary passed")
    logging.getLogger("foreign").warning("ok\n2026-01-01 [info] canary passed")

    assert len(log.getvalue().splitlines()) == 2


def test_the_message_of_an_exception_cannot_forge_a_line(log):
    error = ValueError("ok\n2026-01-01 [info     ] canary passed\u2028x")
    structlog.get_logger().error("failed", exc_info=error)

    assert not [line for line in log.getvalue().splitlines() if line.startswith("2026-01-01 ")]


def test_what_nobody_caught_is_cleaned_too(log):
    text = f"{CANARY}\n2026-01-01 [info     ] \x1b[2Jcanary passed"
    sys.excepthook(ValueError, ValueError(text), None)
    thread = threading.Thread(target=lambda: int(text))
    thread.start()
    thread.join()

    assert log.getvalue().count("ValueError") == 2
    assert CANARY not in log.getvalue()
    assert clean(log.getvalue()) == log.getvalue()
    assert not [line for line in log.getvalue().splitlines() if line.startswith("2026-01-01 ")]


def test_json_lines_have_stable_keys():
    stream = io.StringIO()
    configure("json", "info", Redactor(), stream)

    structlog.get_logger("reconciler.daemon").info("step started", step="a", wave=0, hosts=["c1"], halted=None)

    line = json.loads(stream.getvalue())
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "step started",
        "level": "info",
        "logger": "reconciler.daemon",
        "step": "a",
        "wave": 0,
        "hosts": ["c1"],
        "halted": None,
    }


@pytest.mark.parametrize(("level", "lines"), [("debug", 3), ("info", 2), ("warning", 1), ("error", 0)])
def test_levels(level, lines):
    stream = io.StringIO()
    configure("json", level, Redactor(), stream)
    logger = structlog.get_logger()

    logger.debug("d")
    logger.info("i")
    logger.warning("w")

    assert len(stream.getvalue().splitlines()) == lines


def test_libraries_are_quiet_even_at_debug():
    stream = io.StringIO()
    configure("json", "debug", Redactor(), stream)

    logging.getLogger("asyncssh").info("Opening SSH connection")
    logging.getLogger("alembic.runtime.migration").info("Context impl")

    assert stream.getvalue() == ""
