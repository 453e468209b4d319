from __future__ import annotations

import pytest

from reconciler.domain.dburl import DbEndpoint, Tls, host_endpoint, parse_url, split_password
from reconciler.domain.desired import Database

GOOD = {
    "sqlite:////srv/key stone%20.db": DbEndpoint(engine="sqlite", path="/srv/key stone%20.db"),
    "mysql+pymysql://keystone@db.example:3307/keystone?charset=utf8": DbEndpoint(
        engine="mariadb", host="db.example", port=3307, user="keystone", dbname="keystone"
    ),
    "mariadb://a%40b@[fd00::1]/nova?ssl_ca=/etc/ca.pem": DbEndpoint(
        engine="mariadb", host="fd00::1", user="a@b", dbname="nova", tls=Tls(ca="/etc/ca.pem")
    ),
    "mysql://u@db/d?ssl_ca=/ca&ssl_cert=/cert&ssl_key=/key": DbEndpoint(
        engine="mariadb", host="db", user="u", dbname="d", tls=Tls(ca="/ca", cert="/cert", key="/key")
    ),
    "mysql://root@/glance?unix_socket=/run/db.sock": DbEndpoint(
        engine="mariadb", user="root", dbname="glance", socket="/run/db.sock"
    ),
}
BAD = {
    "mysql://u:p@h/d": "holds a password",
    "mysql://u:@h/d": "holds a password",
    "postgresql://h/d": "'postgresql' is no database",
    "keystone": "is no database",
    "": "is no database",
    "mysql://h": "no database",
    "mysql:///d": "names no host",
    "mysql://h/d?read_default_file=/etc/shadow": "read_default_file is not allowed",
    "mysql://h:x/d": "Port",
    "mysql://h:99999/d": "Port",
    "mysql://[h/d": "IPv6",
    "mysql://h/d?ssl_ca=ca.pem": "ssl_ca must be an absolute path",
    "mysql://h/d?ssl_ca=": "ssl_ca must be an absolute path",
    "mysql://h/d?ssl_ca=/a%22%0Ab": "ssl_ca must be an absolute path",
    "mysql://h/d?ssl_cert=/c&ssl_key=/k": "name its authority",
    "mysql://h/d?ssl_ca=/a&ssl_cert=/c": "go together",
    "mysql://h/d?ssl_ca=/a&unix_socket=/s": "a socket has no TLS",
    "mysql://h/d?ssl_verify_cert=false": "ssl_verify_cert is not allowed",
    "sqlite:///relative.db": "absolute path",
    "sqlite://": "absolute path",
    "sqlite:////srv/db?mode=rw": "no options",
}


@pytest.mark.parametrize(("url", "endpoint"), GOOD.items(), ids=GOOD.keys())
def test_urls_are_read(url, endpoint):
    assert parse_url(url) == endpoint


@pytest.mark.parametrize(("url", "why"), BAD.items(), ids=[url or "nothing" for url in BAD])
def test_bad_urls_say_what_is_wrong(url, why):
    with pytest.raises(ValueError, match=why):
        parse_url(url)


def test_hosts_have_an_address_of_their_own_or_the_daemons():
    near, far = "mysql://u@127.0.0.1:3306/d", "mysql://u@db/d"
    assert host_endpoint(Database(name="main", url=near)).host == "127.0.0.1"
    assert host_endpoint(Database(name="main", url=near, host_url=far)).host == "db"


@pytest.mark.parametrize(
    ("url", "rest", "password"),
    [
        ("mysql://u:p%40w@h:1/d?charset=utf8", "mysql://u@h:1/d?charset=utf8", "p@w"),
        ("mysql://u:a@b@h/d", "mysql://u@h/d", "a@b"),
        ("mysql://u@h/d", "mysql://u@h/d", None),
        ("sqlite:////srv/a.db", "sqlite:////srv/a.db", None),
    ],
)
def test_a_password_is_taken_out(url, rest, password):
    assert split_password(url) == (rest, password)


def test_places_are_shown_without_the_user():
    assert str(parse_url("mysql://u@h/d")) == "d at h:3306"
    assert str(parse_url("sqlite:////srv/a.db")) == "/srv/a.db"
