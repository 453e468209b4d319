from hypothesis import given
from hypothesis import strategies as st

from reconciler.domain.placeholder import fill
from reconciler.planning.words import host_words, release_words
from tests.support.sample import HOSTS, KEYSTONE


def test_known_words_are_filled_and_all_others_left_alone():
    assert fill("{host}:{nobody}:{secret:admin}:{{host}}", {"host": "ks1"}) == "ks1:{nobody}:{secret:admin}:{ks1}"


def test_a_value_is_not_filled_again():
    assert fill("{a}{b}", {"a": "{b}", "b": "x"}) == "{b}x"


def test_a_hosts_words_win_over_its_services():
    words = host_words(KEYSTONE, HOSTS["ks2"])

    assert words == {"region": "RegionOne", "service": "keystone", "port": "5002", "host": "ks2", "address": "10.0.0.2"}


def test_the_environment_of_a_release_is_a_word():
    words = release_words(KEYSTONE, HOSTS["ks1"], "2023.1", "23.0.2")

    assert words["env"] == "/srv/keystone/2023.1"
    assert fill("keystone=={version}", words) == "keystone==23.0.2"


@given(st.text())
def test_text_without_known_words_stays_as_it_is(text: str):
    assert fill(text, {}) == text
