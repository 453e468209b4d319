"""Databases for steps that change them: a file, and a database of a real server."""

import sqlite3

import pymysql

from tests.support.mariadb import shared


class Sqlite:
    engine = "sqlite"

    def __init__(self, folder, name):
        self.path = folder / f"{name}.db"
        self.args = {"engine": "sqlite", "path": str(self.path)}

    def run(self, *statements):
        connection = sqlite3.connect(self.path)
        with connection:
            rows = [connection.execute(statement).fetchall() for statement in statements][-1]
        connection.close()
        return rows

    def tables(self):
        return len(self.run("SELECT name FROM sqlite_master WHERE type = 'table'")) if self.path.exists() else 0

    def forget(self):
        self.path.unlink(missing_ok=True)


class Mariadb:
    engine = "mariadb"

    def __init__(self, folder, name):
        self.server = shared()
        self.dbname = f"{name}_{abs(hash(folder))}"
        self.args = {"engine": "mariadb", "host": "127.0.0.1", "port": self.server.port, "user": self.server.user}
        self.args |= {"dbname": self.dbname, "password": {"kind": "env", "origin": "X"}}
        self.forget()

    def run(self, *statements):
        login = {"unix_socket": str(self.server.socket), "user": "root", "autocommit": True}
        with pymysql.connect(**login) as connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE IF NOT EXISTS {self.dbname} CHARACTER SET latin1")
            cursor.execute(f"USE {self.dbname}")
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall())

    def tables(self):
        return len(self.run("SHOW FULL TABLES WHERE table_type = 'BASE TABLE'"))

    def forget(self):
        self.server.run(f"DROP DATABASE IF EXISTS {self.dbname}")
