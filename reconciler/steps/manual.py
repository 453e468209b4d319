"""Waits for a person to do something, until a probe proves that it was done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Self, cast

from pydantic import Field, model_validator

from reconciler.domain.desired import SecretRef
from reconciler.domain.effect import Ask, AskHttp
from reconciler.domain.outcome import Done, Failed, Lost, Outcome
from reconciler.domain.plan import Json, Undo
from reconciler.domain.probe import HttpProbe
from reconciler.domain.reasons import Reason
from reconciler.steps import Args, Evidence, Timed, Where, http_probe
from reconciler.steps.http_probe import verdict

KIND = "manual"
WHERE: Where = "person"
TIMEOUT_S = 691200.0  # above the longest patience, which is the limit
REPEATABLE = True
INTERRUPTIBLE = True


class Model(Args):
    """What a person has to do, and the probe that proves it, asked every `every_s` seconds for `patience_s`.

    `back_text` and `back_probe` are the way back, where there is one.
    """

    text: str = Field(min_length=1)
    probe: HttpProbe
    secret_refs: Mapping[str, SecretRef] = {}
    every_s: float = Field(default=30.0, ge=1)
    patience_s: float = Field(default=604800.0, ge=1, le=604800)
    back_text: str = ""
    back_probe: HttpProbe | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if bool(self.back_text) != (self.back_probe is not None):
            raise ValueError("back_text and back_probe go together: what a person takes back is proved too")
        return self


def asked(args: Model) -> HttpProbe:
    """Return the probe as it is asked: one good answer is the proof, all before it are only waited for."""
    return replace(args.probe, count=1, interval_s=args.every_s, warmup_s=args.patience_s)


def effect(_args: Model) -> None:
    """Change nothing: a person does."""
    return


def shows(args: Model) -> tuple[str, ...]:
    """Show the text, and what proves that it was done."""
    probe = http_probe.Model(probe=replace(args.probe, count=1))
    return *args.text.splitlines(), *http_probe.shows(probe)


def title(args: Model) -> str:
    """Name the first line of the text."""
    return f"by hand: {args.text.splitlines()[0][:100]}"


def undo(args: Model) -> Undo | None:
    """Have the person take it back, where it is said how."""
    if args.back_probe is None:
        return None
    refs: dict[str, Json] = {name: {"kind": r.kind, "origin": r.origin} for name, r in args.secret_refs.items()}
    probe = cast("Json", asdict(args.back_probe))
    back: dict[str, Json] = {"text": args.back_text, "probe": probe, "secret_refs": refs}
    timing: dict[str, Json] = {"every_s": args.every_s, "patience_s": args.patience_s}
    return Undo(KIND, back | timing, f"by hand: {args.back_text.splitlines()[0][:100]}")


def proofs(args: Model) -> tuple[Ask, ...]:
    """Ask the probe; it is asked again until it is good or patience is over."""
    return (AskHttp(probe=asked(args), secret_refs=args.secret_refs),)


def judge(args: Model, evidence: Evidence) -> Outcome:
    """Take a good answer for the proof; nothing else is one."""
    taken = evidence.answers.get(proofs(args)[0])
    samples = cast("Sequence[Timed]", taken) if isinstance(taken, tuple) else ()
    match verdict(asked(args), samples):
        case Done(values, text):
            return Done(values, text)
        case Failed(_, text, _):
            return Failed(
                Reason.VERIFY_FAILED, f"nobody has done it: {text}", f"Do it, then retry: {' '.join(args.text.split())}"
            )
        case None:
            return Lost(Reason.STEP_LOST, f"probe {args.probe.name} was left before anybody had done it")
