"""A fleet on one machine to try the product on: three hosts, a database and a real Keystone, without root."""
