"""A release advances by a commit and comes back by a revert, under a daemon that runs."""

from __future__ import annotations

import pytest

from tests.integration.daemon.daemon import Daemon, cli
from tests.integration.daemon.site import Site

pytestmark = pytest.mark.integration


def test_x(site: Site, daemon: Daemon) -> None:
    import time
    t=time.time()
    print(cli("status", site=site).out)
    site.commit("three")
    daemon.reached("InSync")
    print(time.time()-t)
    print(site.ledger(), site.schema(), site.links())
    print(cli("status", site=site).out)
    site.commit("one")
    daemon.reached("InSync")
    print(time.time()-t)
    print(site.ledger(), site.schema(), site.links())
    print(cli("status", site=site).out)
    print(cli("history", site=site).out)
    print(daemon.log)
