"""The kinds of text that the files may hold: what is accepted, how it is refused, and what editors are told."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from ipaddress import ip_address
from typing import Annotated

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from reconciler.domain.dburl import parse_url
from reconciler.domain.placeholder import PLACEHOLDER, WORDS
from reconciler.domain.version import EPOCH

NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
WAVE_SIZE = r"[1-9][0-9]{0,5}|(?:[1-9][0-9]?|100)%"
VARIABLE = r"[a-z][a-z0-9_]{0,63}"
RANGE = r"\[[0-9]+-[0-9]+\]"
HOST_PATTERN = rf"(?=[A-Za-z0-9])(?:[A-Za-z0-9._-]|{RANGE}){{1,100}}"
NAME_HINT = "letters, digits, '.', '_' and '-', starting with a letter or digit, 100 at most"
HIDDEN = re.compile(r"(^|[_-])(password|passwd|passphrase|secret|token|private[_-]?key)$", re.IGNORECASE)

# YAML reads `yes`, `22` and `2024.1` as other things than text; this reader does not, and editors must not complain.
SCALAR = ["string", "number", "boolean"]


@dataclass(frozen=True, slots=True, eq=False)  # pydantic hashes what annotates a type
class Kind:
    """What a scalar must be: `check` turns its text into the value or raises ValueError("must be ...")."""

    check: Callable[[str], object]
    schema: Mapping[str, object]

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Check texts; leave it to pydantic to refuse lists and mappings."""
        return core_schema.no_info_before_validator_function(
            lambda value: self.check(value) if isinstance(value, str) else value, handler(source)
        )

    def __get_pydantic_json_schema__(self, _: CoreSchema, __: GetJsonSchemaHandler) -> dict[str, object]:
        """Tell editors."""
        return dict(self.schema)


def _matches(pattern: str, what: str) -> Callable[[str], str]:
    compiled = re.compile(pattern)

    def check(text: str) -> str:
        if not compiled.fullmatch(text):
            raise ValueError(f"must be {what}")
        return text

    return check


def _text(pattern: str, what: str) -> Kind:
    return Kind(_matches(pattern, what), {"type": SCALAR, "pattern": f"^(?:{pattern})$"})


def number(convert: Callable[[str], object], pattern: str, what: str, json_type: str) -> Kind:
    """Return the kind of numbers whose text matches a pattern; `what` says so to people."""
    check = _matches(pattern, what)
    schema = {"type": [json_type, "string"], "pattern": f"^(?:{pattern})$"}
    return Kind(lambda text: convert(check(text)), schema)


def _flag(text: str) -> bool:
    if text not in {"true", "false"}:
        raise ValueError("must be true or false")
    return text == "true"


def _port(text: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,4}", text) or int(text) > 65535:
        raise ValueError("must be a whole number from 1 to 65535")
    return int(text)


def _day(text: str) -> date:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise ValueError("must be a day like 2026-12-01")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError("is no day of the calendar") from None


def _reason(text: str) -> str:
    if text.strip().casefold() in {"true", "false", "yes", "no", "on", "off", "1", "0"}:
        raise ValueError('must say why in words; leave the key out, or write "", where it does not apply')
    return text


def _given(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be empty")
    return _one_line(text)


def _given_reason(text: str) -> str:
    return _given(_reason(text))


def _absolute(text: str) -> str:
    parts = text.split("/")
    if not text.startswith(("/", "{")) or ".." in parts or "\n" in text:
        raise ValueError("must be an absolute path without '..'")
    return text


def _source(text: str) -> str:
    parts = text.split("/")
    if parts[0] != "files" or len(parts) < 2 or any(part in {"", ".", ".."} for part in parts):
        raise ValueError("must be a path below files/, like files/keystone/keystone.conf")
    return text


def _address(text: str) -> str:
    if not re.fullmatch(rf"(?:[A-Za-z0-9:](?:[A-Za-z0-9._:%-]|{RANGE})*)?", text):
        raise ValueError("must be an IP address or a host name")
    if re.fullmatch(r"[0-9.]+", text) or ":" in text:
        try:
            ip_address(re.sub(RANGE, "1", text))
        except ValueError:
            raise ValueError("is no valid IP address") from None
    return text


def _variable(text: str) -> str:
    _matches(VARIABLE, "a variable name: small letters, digits and _, starting with a letter, 64 at most")(text)
    if text in WORDS:
        raise ValueError("is the name of a placeholder of its own; choose another")
    if HIDDEN.search(text):
        raise ValueError("looks like a secret, and variables are plain text in git; name it under secrets")
    return text


def _url(text: str) -> str:
    if not re.fullmatch(r"https?://[^\s/]+(?:/\S*)?", text):
        raise ValueError("must be an http or https URL")
    if "@" in text.split("/")[2]:
        raise ValueError("must not hold a user or password; use a header with {secret:NAME}")
    return text


def _database(text: str) -> str:
    try:
        parse_url(PLACEHOLDER.sub("/x" if text.startswith("sqlite") else "x", text))
    except ValueError as error:
        raise ValueError(f"cannot be used: {error}") from None
    return text


def _one_line(text: str) -> str:
    if "\n" in text:
        raise ValueError("must be a single line")
    return text


def _requirement(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9{/][^\n]*", text):
        raise ValueError("must be a pip requirement; options go to pip_args")
    return text


Name = Annotated[str, _text(NAME, f"a name: {NAME_HINT}")]
HostPattern = Annotated[str, _text(HOST_PATTERN, "a host name, with at most one range like compute-[01-40]")]
EnvName = Annotated[str, _text(r"[A-Za-z_][A-Za-z0-9_]{0,255}", "the name of an environment variable")]
ReleaseKey = Annotated[str, _text(rf"\*|{NAME}", "a release, or '*' for all others")]
UserName = Annotated[str, _text(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}", "a user or group name")]
Unit = Annotated[str, _text(r"[A-Za-z0-9_][A-Za-z0-9:_.@\\-]{0,254}", "a unit name")]
Label = Annotated[str, _text(rf"{NAME}=[^\n]*", "a label like canary=yes")]
DebName = Annotated[str, _text(r"[a-z0-9][a-z0-9+.-]{1,99}", "a deb package name")]
RpmName = Annotated[str, _text(r"[A-Za-z0-9][A-Za-z0-9+._-]{0,199}", "an rpm package name")]
# As `domain.version` has them once they are filled: what hosts tell is compared as text.
_HOLE = r"\{[a-z][a-z0-9_]*\}"  # as in `domain.placeholder`
_EPOCH = rf"(?:(?:{EPOCH}|{_HOLE}):)?"
_RPM = rf"(?:[A-Za-z0-9_.+~^]|{_HOLE})+"
RpmVersion = Annotated[
    str,
    _text(
        rf"(?!.*\.\.){_EPOCH}(?:{_RPM}-{_RPM}|(?=[^{{]*\{{){_RPM})",
        "an exact rpm version with its release and without epoch 0, like 1:21.0.1-1.el9",
    ),
]
Image = Annotated[
    str,
    _text(
        rf"(?:[a-z0-9]|{_HOLE})(?:[A-Za-z0-9._/:-]|{_HOLE})*"
        rf"(?::(?:[A-Za-z0-9_]|{_HOLE})(?:[A-Za-z0-9._-]|{_HOLE}){{0,127}}|@sha256:[0-9a-f]{{64}})",
        "an image with tag or digest, like registry.example/keystone:2026.1",
    ),
]
Mount = Annotated[str, _text(r"[^:\s]+:[^:\s]+(?::[a-zA-Z,]+)?", "a mount, like /run:/run:shared")]
DebVersion = Annotated[
    str,
    _text(
        rf"{_EPOCH}(?:[0-9]|{_HOLE})(?:(?:[A-Za-z0-9.+~-]|{_HOLE})*(?:[A-Za-z0-9.+~]|{_HOLE}))?",
        "an exact deb version without epoch 0, like 2:21.0.1-0ubuntu1",
    ),
]
Version = Annotated[str, _text(r"[0-9][A-Za-z0-9.+!:~_-]{0,99}", "a version, like 21.0.1")]
Mode = Annotated[str, _text(r"0?[0-7]{3}", "a file mode like 0640")]
Header = Annotated[str, _text(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}", "the name of an HTTP header")]
Subject = Annotated[str, _text(rf"[a-z][a-z_-]*:{NAME}", "a kind of risk and a service, like data-loss:keystone")]
PLAIN_SELECTORS = ("bootstrap", "wave", "first", "others", "moved", "pending", "fleet", "daemon", "person")
SELECTOR = rf"{'|'.join(PLAIN_SELECTORS)}|(?:role|service) {NAME}|deployment (?:old|new)"
SELECTORS = f"{', '.join(PLAIN_SELECTORS)}, role X, service Y, deployment old or deployment new"
WHENS = "onto, appears, first_hop, last_hop, to RELEASE or service NAME"
Selector = Annotated[str, _text(SELECTOR, f"one of {SELECTORS}")]
When = Annotated[str, _text(rf"|onto|appears|first_hop|last_hop|(?:to|service) {NAME}", WHENS)]
OptionalName = Annotated[str, _text(rf"|{NAME}", f"a name: {NAME_HINT}")]
Action = Annotated[str, _text(r"[a-z][a-z0-9_-]{0,63}", "the word of an action")]

Variable = Annotated[str, Kind(_variable, {"type": SCALAR, "pattern": f"^{VARIABLE}$"})]
Text = Annotated[str, Kind(str, {"type": SCALAR})]
Line = Annotated[str, Kind(_one_line, {"type": SCALAR})]
PlanId = Annotated[str, _text(r"[0-9a-f]{12}", "the id of a plan, 12 hexadecimal digits")]
Given = Annotated[str, Kind(_given, {"type": SCALAR})]
Reason = Annotated[str, Kind(_reason, {"type": "string"})]
GivenReason = Annotated[str, Kind(_given_reason, {"type": "string"})]
Path = Annotated[str, Kind(_absolute, {"type": "string", "pattern": "^[/{]"})]
OptionalPath = Annotated[str, Kind(lambda text: text and _absolute(text), {"type": "string"})]
Source = Annotated[str, Kind(_source, {"type": "string", "pattern": "^files/."})]
Address = Annotated[str, Kind(_address, {"type": "string"})]
HttpUrl = Annotated[str, Kind(_url, {"type": "string", "pattern": "^https?://"})]
DatabaseUrl = Annotated[str, Kind(_database, {"type": "string", "pattern": "://"})]
OptionalDatabaseUrl = Annotated[str, Kind(lambda text: text and _database(text), {"type": "string"})]
Requirement = Annotated[str, Kind(_requirement, {"type": "string"})]
Day = Annotated[date, Kind(_day, {"type": "string", "format": "date"})]
Flag = Annotated[bool, Kind(_flag, {"enum": [True, False, "true", "false"]})]
Count = Annotated[int, number(int, r"[1-9][0-9]{0,5}", "a whole number from 1 on", "integer")]
Unavailable = Annotated[
    str,
    Kind(
        _matches(rf"|quorum|{WAVE_SIZE}", "a number of hosts from 1 on, a percentage like 25%, or quorum"),
        {"type": ["integer", "string"], "pattern": f"^(?:|quorum|{WAVE_SIZE})$", "minimum": 1},
    ),
]
WaveSize = Annotated[
    str,
    Kind(
        _matches(WAVE_SIZE, "a number of hosts from 1 on, or a percentage like 25%"),
        {"type": ["integer", "string"], "pattern": f"^(?:{WAVE_SIZE})$", "minimum": 1},
    ),
]
Port = Annotated[int, Kind(_port, {"type": ["integer", "string"], "minimum": 1, "maximum": 65535})]
Status = Annotated[int, number(int, r"[1-5][0-9]{2}", "an HTTP status like 200", "integer")]
Amount = Annotated[float, number(float, r"[0-9]{1,6}(\.[0-9]{1,6})?", "a number", "number")]
Seconds = Annotated[float, number(float, r"[0-9]{1,6}(\.[0-9]{1,6})?", "a number of seconds", "number")]
