"""The daemon's configuration: every mistake is named with its place, nothing is guessed."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError

from reconciler.cli.settings_reference import reference
from reconciler.domain.reasons import Reason
from reconciler.errors import SettingsError
from reconciler.settings import CREDENTIALS, DEFAULT_PATH, Settings, read_settings

ROOT = Path(__file__).parent.parent
CASES = sorted((ROOT / "tests" / "cases" / "settings").glob("*.toml"))
SOURCE = '[source]\nurl = "https://git.example.org/fleet.git"\n'


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name in [name for name in os.environ if name.startswith("RECONCILER_")]:
        monkeypatch.delenv(name)
    return monkeypatch


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "reconciler.toml"

    def write(text: str) -> Path:
        path.write_text(text)
        return path

    return write


def problems(path: Path) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        read_settings(path)
    assert caught.value.reason == Reason.SETTINGS_INVALID
    return str(caught.value).replace(f"{path}: ", "").splitlines()


def test_little_is_required(file):
    settings = read_settings(file(SOURCE))

    assert settings.source.url == "https://git.example.org/fleet.git"
    assert settings.source.branch == "main"
    assert settings.source.folder == ""
    assert settings.store_url == "sqlite:////var/lib/reconciler/journal.sqlite"
    assert settings.mirror == Path("/var/lib/reconciler/source.git")
    assert settings.known_hosts == settings.source_known_hosts == Path("/var/lib/reconciler/known_hosts")
    assert settings.web.address == ("127.0.0.1", 9105)
    assert settings.commands.allowed is None


def test_paths_follow_the_state_directory_unless_given(file):
    settings = read_settings(
        file('state_dir = "/srv/r"\n' + SOURCE + 'mirror = "/mirror"\n[store]\nurl = "sqlite:////j"')
    )

    assert settings.mirror == Path("/mirror")
    assert settings.known_hosts == Path("/srv/r/known_hosts")
    assert settings.store_url == "sqlite:////j"


def test_the_environment_wins_key_by_key(file, environment):
    environment.setenv("RECONCILER_SOURCE__BRANCH", "production")
    environment.setenv("RECONCILER_SSH__KEYS", '["/a", "/b"]')
    environment.setenv("RECONCILER_STATE_DIR", "/srv")

    settings = read_settings(file(SOURCE + 'branch = "x"\nfolder = "fleet"'))

    assert (settings.source.branch, settings.source.folder) == ("production", "fleet")
    assert settings.ssh.keys == (Path("/a"), Path("/b"))
    assert settings.state_dir == Path("/srv")


def test_a_key_may_be_a_credential_of_the_unit_or_of_whoever_runs_the_verb(file, environment):
    text = SOURCE + 'ssh_key = "credential:source_key"\n[ssh]\nkeys = ["credential:fleet_key", "/key"]'
    environment.delenv("CREDENTIALS_DIRECTORY", raising=False)
    settings = read_settings(file(text))
    assert settings.source.ssh_key == CREDENTIALS / "source_key"
    assert settings.ssh.keys == (CREDENTIALS / "fleet_key", Path("/key"))

    environment.setenv("CREDENTIALS_DIRECTORY", "/run/credentials/run-7.service")
    assert read_settings(file(text)).source.ssh_key == Path("/run/credentials/run-7.service/source_key")
    for name in ("", "../key", "a/b", ".."):
        found = problems(file(SOURCE + f'ssh_key = "credential:{name}"'))
        assert found == ["source.ssh_key: use credential:NAME, with the name that LoadCredential= gives"]


def test_the_environment_names_the_file(file, environment):
    environment.setenv("RECONCILER_CONFIG", str(file(SOURCE + 'branch = "named"')))

    assert read_settings().source.branch == "named"


def test_the_environment_alone_is_enough(environment):
    assert not DEFAULT_PATH.exists()
    environment.setenv("RECONCILER_SOURCE__URL", "/srv/fleet.git")
    environment.setenv("RECONCILER_PORT", "tcp://10.0.0.1:80")  # Kubernetes adds such for a service of our name

    assert read_settings().source.url == "/srv/fleet.git"


def test_all_problems_are_listed_with_their_keys(file):
    assert problems(
        file(
            '[source]\nbrnch = "x"\n[log]\nlevel = "loud"\n[swep]\nx = 1\n'
            '[ssh]\nkeys = ["id"]\nper_zone = 0\n[web]\nlisten = "9105"\n'
        )
    ) == [
        "log.level: Input should be 'debug', 'info', 'warning' or 'error'",
        "source.brnch: there is no such key; did you mean `branch`?",
        "source.url: is missing",
        "ssh.keys.0: the path must be absolute",
        "ssh.per_zone: Input should be greater than or equal to 1",
        "swep: there is no such key; did you mean `sweep`?",
        "web.listen: use ADDRESS:PORT, for example 127.0.0.1:9105 or [::1]:9105",
    ]


def test_problems_of_variables_name_the_variable(file, environment):
    environment.setenv("RECONCILER_SWEEP__INTERVAL_S", "often")
    environment.setenv("RECONCILER_SORCE__URL", "x")

    assert problems(file(SOURCE)) == [
        "RECONCILER_SORCE__URL: there is no section sorce; did you mean `source`?",
        "RECONCILER_SWEEP__INTERVAL_S: Input should be a valid number, unable to parse string as a number",
    ]


def test_a_list_that_is_no_json_is_explained(file, environment):
    environment.setenv("RECONCILER_SSH__KEYS", "/a,/b")

    assert "lists are written as JSON" in problems(file(SOURCE))[0]


@pytest.mark.parametrize(
    ("url", "ok"),
    [
        ("https://git.example.org/fleet.git", True),
        ("https://user@git.example.org/fleet.git", True),
        ("ssh://git@git.example.org:2222/fleet.git", True),
        ("git@git.example.org:cloud/fleet.git", True),
        ("file:///srv/fleet.git", True),
        ("/srv/fleet.git", True),
        ("http://git.example.org/fleet.git", False),
        ("git://git.example.org/fleet.git", False),
        ("https://user:hunter2@git.example.org/fleet.git", False),
        ("ext::sh -c touch% /tmp/x", False),
        ("-oProxyCommand=x", False),
        ("fleet.git", False),
        ("", False),
    ],
)
def test_sources_are_reached_by_transports_that_prove_the_other_end(file, url, ok):
    path = file(f'[source]\nurl = "{url}"\n')

    if ok:
        assert read_settings(path).source.url == url
    else:
        found = problems(path)
        assert found[0].startswith("source.url: ")
        assert "hunter2" not in found[0]


@pytest.mark.parametrize(
    ("text", "what"),
    [("source = [", "not valid TOML"), ("a = 1\na = 2\n", "not valid TOML"), ("source = 1\n", "source: ")],
)
def test_a_broken_file_is_an_error_not_a_traceback(file, text, what):
    path = file(text)

    assert what in problems(path)[0]


def test_bytes_that_are_no_text_are_an_error(tmp_path):
    (tmp_path / "r.toml").write_bytes(b"\xff\xfe")

    assert "not valid TOML" in problems(tmp_path / "r.toml")[0]


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_refuses_what_lies_in_cases(path):
    """Beside each `.toml` lies a `.txt` with exactly what is said of it."""
    assert problems(path) == path.with_suffix(".txt").read_text().splitlines()


def test_a_missing_file_that_was_named_is_an_error(tmp_path, environment):
    environment.setenv("RECONCILER_SOURCE__URL", "/srv/fleet.git")

    assert problems(tmp_path / "none.toml") == ["No such file or directory"]


def test_settings_cannot_be_changed(file):
    settings = read_settings(file(SOURCE))

    with pytest.raises(ValidationError):
        settings.state_dir = Path("/")
    with pytest.raises(ValidationError):
        settings.source.branch = "x"


def test_the_reference_page_is_what_the_models_say():
    assert (ROOT / "docs/reference/settings.md").read_text() == reference()


def test_the_example_is_valid_and_names_only_what_exists():
    settings = read_settings(ROOT / "deploy/reconciler.toml")

    text = (ROOT / "deploy/reconciler.toml").read_text().replace("credential:", f"{CREDENTIALS}/")
    given = tomllib.loads(text)
    assert settings.model_dump(mode="json", include=given.keys(), exclude_unset=True) == given
    assert isinstance(settings, Settings)


def test_signatures_want_a_file_that_says_who_may_sign(tmp_path):
    file = tmp_path / "reconciler.toml"
    file.write_text(SOURCE + 'signatures = "strict"\n')
    with pytest.raises(SettingsError, match='signatures = "strict" needs `allowed_signers`'):
        read_settings(file)
