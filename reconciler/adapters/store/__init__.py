"""The store under the journal: tables, connections, migrations and the lock that keeps a second daemon out."""
