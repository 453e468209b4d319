"""Pages lead somewhere, and say of the code what is true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer

from reconciler.cli import app
from reconciler.domain.procedure import Phase, Selector
from reconciler.domain.reasons import TEXTS, Reason
from reconciler.domain.stall import Stalled
from reconciler.planning.actions import ACTIONS
from reconciler.planning.stall import SLOW_AFTER_S, SLOW_FACTOR
from scripts.generate_reference import CHAPTERS, pages

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md"), ROOT / "tests" / "lab" / "README.md"])
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"(?:`|^)make ([a-z-]+)(?=`| [A-Z]| +#|$)", re.MULTILINE)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def links(page: Path) -> list[str]:
    found = LINK.findall(FENCE.sub("", page.read_text()))
    return [target for target in found if not re.match(r"[a-z]+:", target)]


def anchors(page: Path) -> set[str]:
    """Headings as GitHub turns them into anchors."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def leads_somewhere(page: Path, target: str) -> bool:
    path, _, anchor = target.partition("#")
    goal = (page.parent / path).resolve() if path else page
    return goal.exists() and (not anchor or anchor in anchors(goal))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_leads_somewhere(page: Path) -> None:
    assert [target for target in links(page) if not leads_somewhere(page, target)] == []


def test_what_holds_a_claim_of_the_threat_model_is_there() -> None:
    page = (DOCS / "explanation" / "threat-model.md").read_text()
    named = re.findall(r"`((?:reconciler|tests|deploy)/[^`]+)`", page)
    assert len(named) > 40
    assert [path for path in named if not (ROOT / path).exists()] == []
    tables = page.split("| threat | what stops it | held by |\n")[1:]
    claims = [row.split("|")[3] for table in tables for row in table.partition("\n\n")[0].splitlines()[1:]]
    assert [claim for claim in claims if not re.search(r"`(reconciler|tests|deploy)/", claim)] == []


def test_every_page_can_be_found_from_the_index() -> None:
    found, frontier = {DOCS / "README.md"}, [DOCS / "README.md"]
    while frontier:
        page = frontier.pop()
        goals = {(page.parent / target.partition("#")[0]).resolve() for target in links(page) if target[0] != "#"}
        new = {goal for goal in goals if goal.suffix == ".md" and goal not in found}
        found |= new
        frontier += new
    assert {name(page) for page in DOCS.rglob("*.md")} - {name(page) for page in found} == set()


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_target_of_make_that_a_page_names_exists(page: Path) -> None:
    assert set(NAMED.findall(page.read_text())) - TARGETS == set()


@pytest.mark.parametrize("page", sorted(pages()))
def test_generated_pages_are_what_the_code_says(page: str) -> None:
    assert (DOCS / "reference" / page).read_text() == pages()[page]


def test_every_reason_has_text_and_hint_and_a_row() -> None:
    page = (DOCS / "reference" / "reasons.md").read_text()
    assert set(TEXTS) == set(Reason)
    assert [reason for reason in Reason if not all(TEXTS[reason])] == []
    assert re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE) == [str(reason) for reason in Reason]
    assert re.findall(r"^## (.+)$", page, re.MULTILINE) == list(CHAPTERS.values())


def rows(page: str, chapter: str) -> list[str]:
    """Return the first words of the table rows of a chapter."""
    text = (DOCS / "reference" / page).read_text().partition(f"\n## {chapter}\n")[2]
    return re.findall(r"^\| `(\w+)` \|", text.partition("\n## ")[0], re.MULTILINE)


def test_the_words_of_procedures_are_those_of_the_code() -> None:
    assert rows("procedures.md", "Actions") == list(ACTIONS)
    assert rows("procedures.md", "Phases") == [str(phase) for phase in Phase if phase is not Phase.BACK_OUT]
    assert rows("procedures.md", "Selectors") == [str(selector) for selector in Selector]


def test_the_kinds_of_stall_are_those_of_the_code() -> None:
    page = (DOCS / "reference" / "stalls.md").read_text()
    assert re.findall(r"^\| `([a-z-]+)` \|", page, re.MULTILINE) == [str(kind) for kind in Stalled]
    assert f"more than {SLOW_FACTOR:g} times" in page
    assert f"more than {SLOW_AFTER_S:g} s" in page


def verbs() -> set[str]:
    return set(typer.main.get_group(app).commands)


def test_every_verb_is_in_the_reference() -> None:
    page = (DOCS / "reference" / "cli.md").read_text()
    assert set(re.findall(r"^## reconciler ([a-z-]+)", page, re.MULTILINE)) == verbs()


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_verb_that_a_page_names_exists(page: Path) -> None:
    assert set(re.findall(r"`(?:\S*/)?reconciler ([a-z][a-z-]*)", page.read_text())) - verbs() == set()
