"""Waits for a person to do something, until a probe proves that it was done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Self, cast

from pydantic import Field, model_validator

from reconciler.domain.desired import Database, SecretRef
from reconciler.domain.effect import Ask, AskHttp, AskProbe
from reconciler.domain.outcome import Done, Failed, Lost, Outcome
from reconciler.domain.plan import Json, Undo
from reconciler.domain.probe import HttpProbe
from reconciler.domain.reasons import Reason
from reconciler.steps import Args, Evidence, Timed, Where, _asks
from reconciler.steps._asks import AnyProbe, Place

KIND = "manual"
PROBES = frozenset({"probe", "back_probe"})
WHERE: Where = "person"
TIMEOUT_S = 691200.0  # above the longest patience, which is the limit
REPEATABLE = True
INTERRUPTIBLE = True


class Work(Args):
    """What a person has to do, and how often and for how long it is asked whether it was done.

    `back_text` is the way back, where there is one.
    """

    text: str = Field(min_length=1)
    secret_refs: Mapping[str, SecretRef] = {}
    every_s: float = Field(default=30.0, ge=1)
    patience_s: float = Field(default=604800.0, ge=1, le=604800)
    back_text: str = ""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if bool(self.back_text) != (getattr(self, "back_probe", None) is not None):
            raise ValueError("back_text and back_probe go together: what a person takes back is proved too")
        return self


class Form(Work):
    """What a procedure says of it: probes by HTTP written out, or any by its name."""

    probe: HttpProbe
    back_probe: HttpProbe | None = None


class Model(Work):
    """The work, and the probes that prove it and its way back.

    `host` is where probes of hosts are asked, and `databases` are those that probes by SQL name.
    """

    probe: AnyProbe
    back_probe: AnyProbe | None = None
    host: str = ""
    databases: Mapping[str, Database] = {}


def asked(args: Model) -> AskHttp | AskProbe:
    """Return the probe as it is asked: one good answer is the proof, all before it are only waited for."""
    waiting = replace(args.probe, count=1, interval_s=args.every_s, warmup_s=args.patience_s)
    return _asks.ask(waiting, _place(args))


def _place(args: Model) -> Place:
    return Place(args.host, args.databases, args.secret_refs)


def effect(_args: Model) -> None:
    """Change nothing: a person does."""
    return


def shows(args: Model) -> tuple[str, ...]:
    """Show the text, and what proves that it was done."""
    return *args.text.splitlines(), *_asks.shows(asked(args))


def title(args: Model) -> str:
    """Name the first line of the text."""
    return f"by hand: {args.text.splitlines()[0][:100]}"


def undo(args: Model) -> Undo | None:
    """Have the person take it back, where it is said how."""
    if args.back_probe is None:
        return None
    kept = {"host", "databases", "secret_refs", "every_s", "patience_s"}
    whole: dict[str, Json] = args.model_dump(mode="json")
    back = {key: whole[key] for key in sorted(kept)} | {"text": args.back_text, "probe": whole["back_probe"]}
    return Undo(KIND, back, f"by hand: {args.back_text.splitlines()[0][:100]}")


def proofs(args: Model) -> tuple[Ask, ...]:
    """Ask the probe; it is asked again until it is good or patience is over."""
    return (asked(args),)


def judge(args: Model, evidence: Evidence) -> Outcome:
    """Take a good answer for the proof; nothing else is one."""
    taken = evidence.answers.get(proofs(args)[0])
    samples = cast("Sequence[Timed]", taken) if isinstance(taken, tuple) else ()
    match _asks.verdict(asked(args), samples):
        case Done(values, text):
            return Done(values, text)
        case Failed(_, text, _):
            return Failed(
                Reason.VERIFY_FAILED, f"nobody has done it: {text}", f"Do it, then retry: {' '.join(args.text.split())}"
            )
        case Lost() as unknown:
            return unknown
        case None:
            return Lost(Reason.STEP_LOST, f"probe {args.probe.name} was left before anybody had done it")
