"""A fleet on one machine to try the product on: three hosts, a database and a real Keystone, without root."""

from reconciler.testdrive.drive import Wishes, main, stop

__all__ = ["Wishes", "main", "stop"]
