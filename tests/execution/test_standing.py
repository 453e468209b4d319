"""Where services stand is worked out once for the same sight of the fleet."""

from __future__ import annotations

from dataclasses import replace

from reconciler.catalog import load_catalog
from reconciler.domain.observation import Observations
from reconciler.domain.reasons import Reason
from reconciler.domain.run import History
from reconciler.execution.standing import Basis, Standing
from tests.support.sample import DESIRED

BASIS: Basis = (DESIRED, load_catalog(), Observations(), History())


def test_the_same_basis_is_worked_out_once_and_another_one_anew():
    standing = Standing()
    first = standing.of("keystone", BASIS)
    assert standing.of("keystone", BASIS) is first
    assert first.blocks[0].reason == Reason.HOST_NOT_ASKED
    for index, other in enumerate((replace(DESIRED), None, Observations(), History(accepted="c"))):
        if other is not None:
            basis = (*BASIS[:index], other, *BASIS[index + 1 :])
            assert standing.of("keystone", basis) is not first
            first = standing.of("keystone", basis)


def test_what_cannot_be_placed_is_blocked_by_the_defect():
    hostless = replace(DESIRED, hosts={})
    (block,) = Standing().of("keystone", (hostless, *BASIS[1:])).blocks
    assert block.reason == Reason.DEFECT
    assert "KeyError" in block.text
