"""Takes in what people want: new revisions and commands."""

from __future__ import annotations

from reconciler.domain.desired import Desired
from reconciler.domain.journal import Draft, Kind
from reconciler.domain.reasons import Reason
from reconciler.domain.revision import Revision
from reconciler.execution.memory import NOT_ASKED, Memory, Read
from reconciler.execution.secrets import learn
from reconciler.planning.command import answer
from reconciler.planning.unheard import unheard


async def take_revision(memory: Memory) -> Read | None:
    """Read the newest acceptable revision; the last good one stays in force while a newer one is invalid."""
    _doubt(memory)
    revision = memory.source.revision
    if revision is None:
        if memory.source.head:
            await _recall(memory)
        return memory.read
    if memory.read is None or memory.read.commit != revision.commit:
        read = memory.reader(revision)
        if read.desired is None:
            _refuse(memory, revision, read)
            return await _last_good(memory, read)
        if memory.history.accepted != revision.commit:
            memory.write((_accepted(revision, memory.source.signed_by),))
        memory.read = read
        learn(read.desired, memory.ports)
    return memory.read


def _accepted(revision: Revision, signed_by: str) -> Draft:
    body = {"revision": revision.commit, "author": revision.author, "message": revision.message.strip()[:500]}
    signed = {"signed_by": signed_by} if signed_by else {}
    return Draft(Kind.REVISION_ACCEPTED, body={**body, **signed})


def _doubt(memory: Memory) -> None:
    """Write down, once, that somebody pushed what is not signed as it must be."""
    source = memory.source
    if source.problem == Reason.SOURCE_UNVERIFIED and memory.history.refused != source.head:
        body = {"revision": source.head, "reason": source.problem, "text": source.text[:2000]}
        memory.write((Draft(Kind.REVISION_REFUSED, body=dict(body)),))


def _refuse(memory: Memory, revision: Revision, read: Read) -> None:
    if memory.history.refused != revision.commit:
        text = "; ".join(block.text for block in read.problems)[:2000]
        body = {"revision": revision.commit, "reason": "SourceInvalid", "text": text}
        memory.write((Draft(Kind.REVISION_REFUSED, body=dict(body)),))


async def _last_good(memory: Memory, refused: Read) -> Read | None:
    """Return the desired state in force, with the newer revision's problems."""
    await _recall(memory)
    good = memory.read
    if good is None or good.desired is None:
        return Read(refused.commit, None, None, refused.problems)
    return Read(good.commit, good.desired, good.catalog, refused.problems)


async def _recall(memory: Memory) -> None:
    """Read the revision in force, as a daemon must that was just started."""
    if memory.read is not None or not memory.history.read:
        return
    revision = await memory.ports.source.revision(memory.history.read)
    good = memory.reader(revision) if revision is not None else None
    if good is not None and good.desired is not None:
        memory.read = Read(good.commit, good.desired, good.catalog)
        learn(good.desired, memory.ports)


def take_commands(memory: Memory, desired: Desired | None) -> None:
    """Carry out what operators asked for since the last pass; each is answered in the same transaction.

    To accept a commit waits until the source was asked: before, nobody knows which one is meant.
    """
    for command in memory.ports.journal.commands():
        if command.verb == "accept-history" and memory.source is NOT_ASKED:
            continue
        found = unheard(memory.observations.runs, memory.history)
        drafts, text = answer(command, memory.history, desired, memory.source.head, found.values())
        memory.ports.journal.answer(command, drafts, text)
        memory.remember()
