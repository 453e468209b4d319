"""Objects of a schema and the lines they are written as."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.domain.structure import Part, SchemaObject, Structure, plain, read_object, read_structure

LINES = [
    "table instances utf8mb3",
    "table instances",
    "column instances.uuid varchar(36) null",
    "column routers.status enum('A B','C.D') not null default 'A B'",
    "primary instances (id)",
    "unique instances.uniq_instances0uuid (uuid)",
    "index instances.host_node (host, node(255))",
    "foreign instances.fk (a, b) references hosts (a, b) on delete cascade",
    "foreign instances (a) references hosts (a)",
]


@pytest.mark.parametrize("line", LINES)
def test_a_line_is_read_as_it_was_written(line):
    assert str(read_object(line)) == line


@pytest.mark.parametrize("line", ["", "table", "view x", "column", "nonsense a b"])
def test_what_is_no_line_is_refused(line):
    with pytest.raises(ValueError):  # noqa: PT011 - the enum words it
        read_object(line)


@given(st.text(min_size=1), st.text())
def test_no_name_breaks_a_line(table, name):
    told = str(SchemaObject(Part.COLUMN, plain(table), plain(name), "int null"))
    assert read_object(told) == SchemaObject(Part.COLUMN, plain(table), plain(name), "int null")
    assert told.isprintable()


@given(st.text(), st.text())
def test_two_names_stay_two(one, other):
    assert (plain(one) == plain(other)) == (one == other)


def test_lines_stand_by_table_in_one_order():
    structure = Structure("mariadb", frozenset(map(read_object, LINES[1:])))
    assert structure == read_structure("mariadb", reversed(LINES[1:]))
    assert [line.split()[0] for line in structure.lines] == [
        *("table", "column", "primary", "unique", "index", "foreign", "foreign", "column")
    ]
    assert structure.tables == {"instances"}
