"""Logging: one line per event on stderr, as JSON or for people, without secrets and without control characters."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor

from reconciler.adapters.redactor import Redactor
from reconciler.domain.text import indented, one_line

MULTILINE = frozenset({"exception", "stack"})
SHARED: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
)
"""What is done to every event, whoever logged it."""

Fit = Callable[[str], str]

QUIET = ("alembic", "asyncssh", "httpcore", "httpx", "sqlalchemy")


def configure(format: str, level: str, redactor: Redactor, stream: TextIO | None = None) -> None:  # noqa: A002
    """Send all logging, structlog's and the standard library's, and what nobody caught, to stderr.

    `format` is json or console, `level` one of debug, info, warning, error. Libraries speak from warning on.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=SHARED,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_last(format, redactor)],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    logging.captureWarnings(capture=True)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    sys.excepthook = _uncaught
    threading.excepthook = lambda of: _uncaught(of.exc_type, of.exc_value, of.exc_traceback)


def _uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    """Log what Python would print as it stands, secrets and all."""
    structlog.get_logger(__name__).critical("a defect", exc_info=(kind, error, trace))


def _last(format: str, redactor: Redactor) -> list[Processor]:  # noqa: A002
    """Render: exceptions become text first, so that they are cleaned like everything else."""
    clean = Cleaner(redactor)
    if format == "json":
        return [structlog.processors.format_exc_info, clean, structlog.processors.JSONRenderer(ensure_ascii=False)]
    renderer = structlog.dev.ConsoleRenderer(colors=False, sort_keys=False)
    return [structlog.processors.format_exc_info, clean, renderer]


class Cleaner:
    """A processor that redacts secrets in every key and value, and keeps each within its line."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor

    def __call__(self, _logger: object, _method: str, event: EventDict) -> EventDict:
        """Clean one event; only tracebacks have lines, all but the first indented."""
        return {
            self._text(key): self._clean(value, fit=indented if key in MULTILINE else one_line)
            for key, value in event.items()
        }

    def _clean(self, value: object, fit: Fit) -> object:
        match value:
            case None | bool() | int() | float():
                return value
            case dict():
                return {self._text(str(key)): self._clean(item, fit) for key, item in value.items()}
            case list() | tuple() | set() | frozenset():
                return [self._clean(item, fit) for item in value]
            case _:
                return self._text(str(value), fit)

    def _text(self, text: str, fit: Fit = one_line) -> str:
        """Redact before cleaning and after: a secret may hold, or be broken up by, what is removed."""
        return self._redactor.redact(fit(self._redactor.redact(text)))
