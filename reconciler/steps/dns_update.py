"""Lets a name mean other addresses, if it means the expected ones now."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from reconciler.domain.desired import SecretRef
from reconciler.domain.dns import DnsRecords
from reconciler.domain.effect import Ask, AskDns, UpdateDns
from reconciler.domain.observation import Absent, Known, Unknown
from reconciler.domain.outcome import Done, Failed, Lost, Outcome
from reconciler.domain.plan import Undo
from reconciler.domain.reasons import Reason
from reconciler.steps import Args, Evidence, Where
from reconciler.steps._undo import by_itself

KIND = "dns_update"
TIMEOUT_S = 60.0
REPEATABLE = True
INTERRUPTIBLE = True
WHERE: Where = "daemon"
NAME = r"^([A-Za-z0-9_*-]{1,63}\.)+$"


class Model(Args):
    """What the name `record` means on the authoritative `server` before (`was`) and after (`values`); empty: none.

    Names are absolute and end with a dot. The request is signed with the TSIG key `key_name`, whose base64 text is the
    secret named `key_secret`; both are empty for a server that trusts the daemon's address.
    """

    server: str = Field(min_length=1)
    port: int = Field(default=53, ge=1, le=65535)
    zone: str = Field(pattern=NAME)
    record: str = Field(pattern=NAME)
    type: Literal["A", "AAAA", "CNAME"] = "A"
    was: tuple[str, ...]
    values: tuple[str, ...]
    ttl: int = Field(default=300, ge=0, le=2**31 - 1)
    was_ttl: int = Field(default=300, ge=0, le=2**31 - 1)
    key_name: str = Field(default="", pattern=r"^[A-Za-z0-9_.-]*$")
    key_algorithm: Literal["hmac-sha256", "hmac-sha384", "hmac-sha512", "hmac-sha1"] = "hmac-sha256"
    key_secret: str = ""
    secret_refs: Mapping[str, SecretRef] = {}

    @field_validator("zone", "record")
    @classmethod
    def _lower(cls, name: str) -> str:
        return name.lower()

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not f".{self.record}".endswith(f".{self.zone}"):
            raise ValueError("the name is not in the zone")
        if bool(self.key_name) != bool(self.key_secret):
            raise ValueError("a key has both a name and a secret")
        if self.key_secret and self.key_secret not in self.secret_refs:
            raise ValueError(f"the secret {self.key_secret} is not declared")
        if canonical(self.type, self.was) == canonical(self.type, self.values):
            raise ValueError("nothing would change")
        return self


def canonical(kind: str, values: tuple[str, ...]) -> tuple[str, ...]:
    """Write values as servers do, sorted; raises ValueError for what is no value of that type."""
    if kind == "CNAME":
        if len(values) > 1 or not all(value.endswith(".") for value in values):
            raise ValueError("a CNAME means one absolute name, which ends with a dot")
        return tuple(value.lower() for value in values)
    address = IPv4Address if kind == "A" else IPv6Address
    return tuple(sorted({str(address(value)) for value in values}))


def _records(args: Model) -> DnsRecords:
    return DnsRecords(server=args.server, port=args.port, zone=args.zone, name=args.record, type=args.type)


def effect(args: Model) -> UpdateDns:
    """Render the change; the server compares and replaces in one transaction, so a second attempt harms nothing."""
    return UpdateDns(
        records=_records(args),
        was=canonical(args.type, args.was),
        values=canonical(args.type, args.values),
        ttl=args.ttl,
        key_name=args.key_name,
        key_algorithm=args.key_algorithm,
        key_secret=args.secret_refs[args.key_secret] if args.key_secret else None,
    )


def shows(args: Model) -> tuple[str, ...]:
    """Show it as lines for nsupdate(1)."""
    key = (f"key {args.key_algorithm}:{args.key_name} {{secret:{args.key_secret}}}",) if args.key_name else ()
    place = f"{args.record} {args.type}"
    was = tuple(f"prereq yxrrset {place} {value}" for value in args.was) or (f"prereq nxrrset {place}",)
    added = tuple(f"update add {args.record} {args.ttl} {args.type} {value}" for value in args.values)
    lines = (f"server {args.server} {args.port}", *key, f"zone {args.zone}", *was, f"update delete {place}", *added)
    return tuple(f"nsupdate> {line}" for line in (*lines, "send"))


def title(args: Model) -> str:
    """Name the name, and what it will mean."""
    return f"let {args.record} mean {', '.join(args.values)}" if args.values else f"take {args.record} {args.type} away"


def undo(args: Model) -> Undo | None:
    """Let it mean what it meant."""
    return by_itself(KIND, args, title, was=args.values, values=args.was, ttl=args.was_ttl, was_ttl=args.ttl)


def proved(args: Model) -> tuple[str, ...]:
    """Say what must be answered."""
    return (f"the name server answers {' '.join(args.values) or 'nothing'} for {args.type} {args.record}",)


def proofs(args: Model) -> tuple[Ask, ...]:
    """Ask the server that has the word."""
    return (AskDns(_records(args)),)


def judge(args: Model, evidence: Evidence) -> Outcome:
    """Believe only what the server answers; what it said to the change explains a failure."""
    wanted = canonical(args.type, args.values)
    match evidence.answers.get(proofs(args)[0]):
        case Known(value) if isinstance(value, tuple):
            seen = value
        case Absent():
            seen = ()
        case Unknown(reason, text, _):
            return Lost(reason, text)
        case _:
            return Lost(Reason.STEP_LOST, "the question that would prove it was not answered")
    if seen == wanted:
        return Done({"values": " ".join(seen)}, f"{args.record} means {_listed(seen)}")
    said = evidence.acted.text if evidence.acted else "it was not told"
    text = f"{args.record} means {_listed(seen)} instead of {_listed(wanted)}: {said}"
    return Failed(Reason.STEP_FAILED, text, f"Ask the server: dig @{args.server} {args.record} {args.type}")


def _listed(values: tuple[str, ...]) -> str:
    return ", ".join(values) or "nothing"
