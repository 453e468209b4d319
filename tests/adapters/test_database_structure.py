"""What servers tell in different words has one normal form."""

import pytest

from reconciler.adapters.database_marker import ForeignError
from reconciler.adapters.database_structure import ROWS, Column, KeyColumn, key_column, rule, structure
from reconciler.domain.structure import Part

COLUMN = Column("t", "c", "int(11)", True, None, "", None, "utf8_general_ci")


def only(**changes: object) -> str:
    lines = structure("mariadb", [COLUMN._replace(**changes)], []).lines
    assert len(lines) == 2
    return lines[1].removeprefix("column t.c ")


@pytest.mark.parametrize(
    ("raw", "normal"),
    [
        ("int(11)", "int"),
        ("int", "int"),
        ("bigint(20) unsigned", "bigint unsigned"),
        ("tinyint(4)", "tinyint"),
        ("tinyint(1)", "tinyint(1)"),
        ("year(4)", "year"),
        ("VARCHAR(36)", "varchar(36)"),
        ("decimal(10,0)", "decimal(10,0)"),
        ("json", "longtext"),
        ("enum('UP','int(11) Down')", "enum('UP','int(11) Down')"),
        ("enum('\x1b')", "enum('\\x1b')"),
    ],
)
def test_types(raw, normal):
    assert only(type=raw) == f"{normal} null"


@pytest.mark.parametrize(
    ("raw", "normal"),
    [
        (None, ""),
        ("NULL", ""),
        ("'x'", " default 'x'"),
        ("x", " default 'x'"),
        ("0", " default '0'"),
        ("''", " default ''"),
        ("", " default ''"),
        ("'it''s'", " default 'it's'"),
        ("current_timestamp()", " default 'current_timestamp'"),
        ("CURRENT_TIMESTAMP", " default 'current_timestamp'"),
        ("\n", " default '\\n'"),
    ],
)
def test_defaults(raw, normal):
    assert only(default=raw) == f"int null{normal}"


@pytest.mark.parametrize(
    ("ours", "tables", "type_", "told"),
    [
        ("utf8mb3_bin", "utf8mb3_general_ci", "varchar(9)", "varchar(9) null binary"),
        ("utf8mb3_bin", "utf8mb3_bin", "varchar(9)", "varchar(9) null"),
        ("utf8mb4_general_ci", "utf8mb3_general_ci", "varchar(9)", "varchar(9) null"),
        ("utf8mb4_bin", "utf8mb4_general_ci", "longtext", "longtext null"),
    ],
)
def test_a_column_that_tells_case_apart(ours, tables, type_, told):
    assert only(collation=ours, table_collation=tables, type=type_) == told


@pytest.mark.parametrize(
    ("collation", "line"),
    [("utf8_bin", "table t utf8mb3"), ("utf8mb4_0900_ai_ci", "table t utf8mb4"), (None, "table t")],
)
def test_tables_have_a_character_set(collation, line):
    assert structure("mariadb", [COLUMN._replace(table_collation=collation)], []).lines[0] == line


def test_keys_have_their_columns_in_order_and_no_name_that_the_server_chose():
    target = ("host s", "id")
    keys = [
        KeyColumn(Part.PRIMARY, "t", "PRIMARY", 1, "id"),
        KeyColumn(Part.INDEX, "t", "both", 2, key_column("b", 255), " fulltext"),
        KeyColumn(Part.INDEX, "t", "both", 1, key_column(None), " fulltext"),
        KeyColumn(Part.UNIQUE, "t", "sqlite_autoindex_t_1", 0, "u"),
        KeyColumn(
            Part.FOREIGN, "t", "t_ibfk_1", 1, "h", rule("delete", "SET NULL") + rule("update", "RESTRICT"), target
        ),
    ]
    assert structure("mariadb", [COLUMN], keys).lines[2:] == (
        "primary t (id)",
        "unique t (u)",
        "index t.both (expression, b(255)) fulltext",
        "foreign t (h) references host%20s (id) on delete set null",
    )


def test_more_than_any_service_has_is_foreign():
    with pytest.raises(ForeignError, match="more than"):
        structure("mariadb", [COLUMN] * (ROWS + 1), [])
