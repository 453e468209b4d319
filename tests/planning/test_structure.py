"""Every kind of difference has its judgement, and what real runs left differently is no difference."""

import pytest

from reconciler.domain.comparison import LISTED, Judgement
from reconciler.domain.structure import Expected, Structure, read_structure
from reconciler.planning.structure import compare, uncompared

BASE = """
table hosts utf8mb3
column hosts.id int not null auto_increment
column hosts.name varchar(64) not null
primary hosts (id)
table servers utf8mb3
column servers.id int not null auto_increment
column servers.host int null
column servers.name varchar(255) null default 'x'
column servers.notes text null
primary servers (id)
unique servers.uniq_name (name)
index servers.ix_host (host)
foreign servers.fk_host (host) references hosts (id) on delete cascade
""".strip().splitlines()
CASCADE = BASE[-1]


def structure(*lines: str, rules_seen: bool = True) -> Structure:
    found = read_structure("mariadb", lines)
    return Structure("mariadb", found.objects, rules_seen)


def expected(*runs: Structure) -> Expected:
    return Expected(runs or (structure(*BASE),), ("walk",) * (len(runs) or 1))


def change(old: str, *new: str) -> list[str]:
    """Replace the lines that begin with `old`."""
    kept = [line for line in BASE if not line.startswith(old)]
    assert kept != BASE or not old
    return [*kept, *new]


def told(seen: list[str], *runs: Structure) -> list[tuple[str, str]]:
    return [(each.judgement.value, str(each)) for each in compare(expected(*runs), structure(*seen)).differences]


CASES = {
    "a table": (
        [line for line in BASE if "servers" not in line],
        [("damaging", "missing table servers utf8mb3")],
    ),
    "a column": (change("column servers.host"), [("damaging", "missing column servers.host int null")]),
    "a primary key": (change("primary servers"), [("damaging", "missing primary servers (id)")]),
    "a unique key": (change("unique servers"), [("damaging", "missing unique servers.uniq_name (name)")]),
    "another type": (
        change("column servers.host", "column servers.host bigint null"),
        [("damaging", "other column servers.host int null, seen host bigint null")],
    ),
    "a narrower text": (
        change("column servers.notes", "column servers.notes tinytext null"),
        [("damaging", "other column servers.notes text null, seen notes tinytext null")],
    ),
    "a wider text": (
        change("column servers.notes", "column servers.notes mediumtext null"),
        [("notable", "other column servers.notes text null, seen notes mediumtext null")],
    ),
    "another nullability": (
        change("column servers.host", "column servers.host int not null"),
        [("damaging", "other column servers.host int null, seen host int not null")],
    ),
    "no numbering": (
        change("column servers.id", "column servers.id int not null"),
        [("damaging", "other column servers.id int not null auto_increment, seen id int not null")],
    ),
    "another default": (
        change("column servers.name", "column servers.name varchar(255) null"),
        [("notable", "other column servers.name varchar(255) null default 'x', seen name varchar(255) null")],
    ),
    "case is told apart": (
        change("column servers.name", "column servers.name varchar(255) null default 'x' binary"),
        [
            (
                "notable",
                "other column servers.name varchar(255) null default 'x', seen name varchar(255) null default 'x' binary",
            )
        ],
    ),
    "an extra table": (
        [*BASE, "table ml2_old utf8mb3", "column ml2_old.id int not null", "primary ml2_old (id)"],
        [("notable", "extra table ml2_old utf8mb3")],
    ),
    "an extra column": ([*BASE, "column hosts.old int null"], [("notable", "extra column hosts.old int null")]),
    "an extra column that must be given": (
        [*BASE, "column hosts.old int not null"],
        [("damaging", "extra column hosts.old int not null")],
    ),
    "an extra column with a default": (
        [*BASE, "column hosts.old int not null default '0'"],
        [("notable", "extra column hosts.old int not null default '0'")],
    ),
    "an extra unique key": ([*BASE, "unique hosts.u (name)"], [("notable", "extra unique hosts.u (name)")]),
    "an extra foreign key": (
        [*BASE, "foreign hosts (id) references servers (id)"],
        [("notable", "extra foreign hosts (id) references servers (id)")],
    ),
    "an extra index": ([*BASE, "index hosts.ix (name)"], [("harmless", "extra index hosts.ix (name)")]),
    "no foreign key": (
        change("foreign"),
        [("notable", "missing foreign servers.fk_host (host) references hosts (id) on delete cascade")],
    ),
    "other rules": (
        change("foreign", "foreign servers.fk_host (host) references hosts (id)"),
        [
            (
                "notable",
                f"other {CASCADE}, seen fk_host (host) references hosts (id)",
            )
        ],
    ),
    "no index": (change("index"), [("notable", "missing index servers.ix_host (host)")]),
    "a longer index": (
        change("index", "index servers.both (host, name)"),
        [("harmless", "missing index servers.ix_host (host)"), ("harmless", "extra index servers.both (host, name)")],
    ),
    "another primary key": (
        change("primary servers", "primary servers (id, name)"),
        [("damaging", "other primary servers (id), seen (id, name)")],
    ),
    "another name": (
        change("unique servers", "unique servers.name (name)"),
        [("harmless", "other unique servers.uniq_name (name), seen name (name)")],
    ),
    "a name of the server's": (
        change("foreign", "foreign servers (host) references hosts (id) on delete cascade"),
        [
            (
                "harmless",
                f"other {CASCADE}, seen (host) references hosts (id) on delete cascade",
            )
        ],
    ),
    "another character set": (
        change("table hosts", "table hosts utf8mb4"),
        [("harmless", "other table hosts utf8mb3, seen utf8mb4")],
    ),
    "nothing": (BASE, []),
}


@pytest.mark.parametrize(("seen", "differences"), CASES.values(), ids=CASES.keys())
def test_a_difference_and_its_judgement(seen, differences):
    assert told(seen) == differences


def test_the_worst_stand_first_and_all_are_counted():
    seen = [*change("column servers.host"), "index hosts.ix (name)", "column hosts.old int null"]
    found = compare(expected(), structure(*seen))
    assert [each.judgement.value for each in found.differences] == ["damaging", "notable", "harmless"]
    assert found.worst is Judgement.DAMAGING
    assert found.told == "1 damaging, 1 notable, 1 harmless differences"
    assert found.listed == "missing column servers.host int null; extra column hosts.old int null"
    assert not found.sound


def test_a_long_list_is_cut_and_says_so():
    many = [f"table extra{n}" for n in range(LISTED + 3)]
    found = compare(expected(), structure(*BASE, *many))
    assert found.counts == {Judgement.NOTABLE: LISTED + 3}
    assert found.listed.count("extra table") == LISTED
    assert found.listed.endswith("; and 3 more")


FRESH = [*change("index", "index servers.ix_host2 (host)"), "column servers.late int null"]
RUNS = (structure(*BASE), structure(*FRESH))


@pytest.mark.parametrize(
    "seen",
    [BASE, FRESH, [*BASE, "column servers.late int null"], change("index", "index servers.ix_host2 (host)")],
    ids=["one run", "the other", "a column of the other", "an index of the other"],
)
def test_what_runs_left_differently_is_right_either_way(seen):
    assert told(seen, *RUNS) == []


def test_what_all_runs_left_is_needed_and_what_none_left_is_told():
    seen = [*change("column servers.notes"), "column servers.late bigint null"]
    assert told(seen, *RUNS) == [
        ("damaging", "other column servers.late int null, seen late bigint null"),
        ("damaging", "missing column servers.notes text null"),
    ]


def test_a_table_of_one_run_may_be_missing():
    assert told([line for line in BASE if "servers" not in line], structure(*BASE), structure(*BASE[:4])) == []


def test_rules_that_the_account_may_not_see_are_not_missed():
    blind = structure(*(line.partition(" on ")[0] for line in BASE), rules_seen=False)
    found = compare(expected(), blind)
    assert (found.differences, found.sound) == ((), True)
    assert "may not see" in found.told


def test_two_engines_are_not_compared():
    found = compare(expected(), read_structure("sqlite", BASE))
    assert (found.differences, found.sound) == ((), False)
    assert found.told == "no fingerprint: what is expected was made on mariadb, and this is sqlite"


def test_without_a_fingerprint_nothing_is_guessed():
    assert uncompared().told.startswith("no fingerprint")
    assert not uncompared().sound
