"""What holds for every test: a skipped one counts as failed, for what was not tried was not shown; no time is judged."""

from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

# A machine that is busy with something else makes no test wrong.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test that skips itself or is marked so; an expected failure is none."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Fail a whole module that skips itself."""
    report = yield
    if report.skipped:
        report.outcome = "failed"
    return report
