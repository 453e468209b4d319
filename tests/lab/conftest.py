"""The lab as fixtures: `lab` is up for the whole session, and every test here runs on its network.

A test that changes a host puts it back: the next one gets the same hosts.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from reconciler.steps.units import DROPINS
from tests.lab import image, repository
from tests.lab.lab import Lab
from tests.lab.product import APT, OLD, STATE_DIR, Product
from tests.lab.repository import DEMO


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Three hosts h1, h2, h3, and `demo-service` in three versions for their apt."""
    try:
        image.check_machine()
    except image.CannotBuildError as error:
        pytest.fail(str(error))
    if not image.path().exists():
        pytest.fail("the lab's disk image is not there; `make test-lab` builds it")
    folder = tmp_path_factory.mktemp("lab")
    repository.publish(folder / "repository", repository.DEMO, *repository.DEMO_VERSIONS)
    running = Lab.start(folder, image.path())
    yield running
    running.stop()


@pytest.fixture(autouse=True)
def _on_the_lab_network(lab: Lab) -> Iterator[None]:
    """Let what the test connects to or starts be on the lab's network."""
    with lab.network():
        yield


@pytest.fixture
def names(lab: Lab) -> tuple[str, ...]:
    """The hosts that `product` prepares; a module that needs fewer overrides it."""
    return tuple(lab.hosts)


@pytest.fixture
async def product(lab: Lab, names: tuple[str, ...], tmp_path: Path) -> AsyncIterator[Product]:
    """A daemon, and hosts that run the demo service's oldest version, not held, and have never heard of us."""
    hosts = [lab.hosts[name] for name in names]
    install = f"{APT} install {DEMO}={OLD}"
    await asyncio.gather(*(host.run(f"{install} || {{ {APT} update && {install}; }}") for host in hosts))
    product = Product(lab, tmp_path)
    yield product
    await product.stop()
    forget = f"apt-mark unhold {DEMO}; dpkg --purge {DEMO}; rm -rf {STATE_DIR} {DROPINS}/{DEMO}.service.d"
    await asyncio.gather(*(host.run(f"{forget}; systemctl daemon-reload") for host in hosts))
