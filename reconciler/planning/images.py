"""Sees before anything is touched that an image is the same on every host that pulled it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from reconciler.domain.procedure import PREPARING
from reconciler.domain.reasons import Reason
from reconciler.domain.run import Run
from reconciler.domain.verdict import Decision, State
from reconciler.planning.decision import ruling
from reconciler.steps import container


def same_everywhere(run: Run, decision: Decision) -> Decision:
    """Let a leg touch what serves only when no tag was moved in its registry while hosts pulled it.

    What is run later is what was pulled then, so hosts would run other code than their canary has proved.
    """
    touches = any(each.step.phase not in PREPARING for each in decision.ready)
    if run.going_back or not (touches and run.prepared) or not (moved := list(_moved(run))):
        return decision
    held = ruling(run.group, State.BLOCKED, Reason.IMAGE_MOVED, "; ".join(moved), run.id)
    return replace(held, plan=run.plan)


def _moved(run: Run) -> Iterator[str]:
    """Word each image of which a host pulled another than the first one did, by digest and by id."""
    first: dict[str, tuple[str, str, str]] = {}
    for step in run.plan.steps:
        left = run.values(step.id)
        if step.kind != container.KIND or step.args.get("action") != "pull" or "digest" not in left:
            continue
        image, digest, id_ = str(step.args["image"]), left["digest"], left.get("image_id", "")
        host, known, known_id = first.setdefault(image, (step.host, digest, id_))
        if digest != known and id_ != known_id:
            yield f"{image} is {known} on {host}, and {digest} on {step.host}"
