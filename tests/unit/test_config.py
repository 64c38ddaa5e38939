"""Options: which source wins, what is refused, and whether the refusal tells a person what to do."""

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci.support import option_tables
from ci.support.certificates import write_certificate
from fanwire.control.__main__ import main
from fanwire.control.config.load import ConfigError, load
from fanwire.control.config.options import OPTIONS, Config

Toml = Callable[[str], str]  # writes a configuration file; its path


def refusal(command_line: Mapping[str, object] | None = None, environment: Mapping[str, str] | None = None) -> str:
    with pytest.raises(ConfigError) as error:
        load(command_line or {}, environment or {})
    return str(error.value)


@pytest.fixture
def toml(tmp_path: Path) -> Toml:
    def write(text: str) -> str:
        path = tmp_path / "fanwire.toml"
        path.write_text(text)
        return str(path)

    return write


def test_defaults_serve_this_machine_alone_on_all_cores() -> None:
    config = load({}, {})
    assert config.http.http == ("127.0.0.1", 8080)
    assert ("127.0.0.1", 7800) in config.listen.udp
    assert {host for host, _ in config.listen.udp} <= {"127.0.0.1", "::1"}
    assert config.listen.workers == min(64, len(os.sched_getaffinity(0)))
    assert config.http.tls_context() is None


def test_insecure_defaults_receive_media_on_every_interface() -> None:
    config = load({"insecure": True}, {})
    assert ("0.0.0.0", 7800) in config.listen.udp
    assert {host for host, _ in config.listen.udp} <= {"0.0.0.0", "::"}


def test_command_line_goes_before_environment_before_file_before_default(toml: Toml) -> None:
    path = toml('workers = 2\nlog_level = "warning"\nhttp = "[::1]:9000"')
    environment = {"FANWIRE_CONFIG": path, "FANWIRE_WORKERS": "3", "FANWIRE_LOG_LEVEL": "error", "FANWIRE_HTTP": ""}
    config = load({"workers": "4", "log_level": None}, environment)
    assert (config.listen.workers, config.process.log_level, config.http.http) == (4, "error", ("::1", 9000))
    assert config.media.consent_timeout_s == 30


def test_lists_mean_the_same_from_every_source(toml: Toml) -> None:
    addresses = ["127.0.0.1:7800", "[::1]:7900"]
    path = toml('udp = ["127.0.0.1:7800", "[::1]:7900"]')
    sources = [
        load({"udp": addresses}, {}),
        load({"udp": [",".join(addresses)]}, {}),
        load({}, {"FANWIRE_UDP": ", ".join(addresses)}),
        load({"config": path}, {}),
    ]
    assert {config.listen.udp for config in sources} == {(("127.0.0.1", 7800), ("::1", 7900))}


def test_tcp_listens_where_udp_does_unless_told_otherwise(toml: Toml) -> None:
    udp = {"udp": "127.0.0.1:7900,[::1]:0"}
    default = load(udp | {"workers": "2"}, {})
    assert default.listen.worker_tcp(1) == default.listen.worker_udp(1) == (("127.0.0.1", 7901), ("::1", 0))
    assert load(udp | {"tcp": ["127.0.0.1:443"]}, {}).listen.worker_tcp(0) == (("127.0.0.1", 443),)
    for nowhere in (
        load({"tcp": ["none"]}, {}),
        load({}, {"FANWIRE_TCP": "none"}),
        load({"config": toml("tcp = []")}, {}),
    ):
        assert nowhere.listen.worker_tcp(0) == ()
    assert "loopback" in refusal({"tcp": ["0.0.0.0:443"]})
    assert "65535" in refusal({"tcp": "127.0.0.1:65535", "workers": "2"})


def test_a_turn_server_comes_from_the_file_with_its_credentials(toml: Toml) -> None:
    path = toml('ice_servers = ["stun:a.example", {url = "turn:b.example", username = "u", credential = "c"}]')
    stun, turn = load({"config": path}, {}).http.ice_servers
    assert (stun.url, turn.url, turn.username, turn.credential) == ("stun:a.example", "turn:b.example", "u", "c")


def test_a_refusal_does_not_show_a_secret(toml: Toml) -> None:
    message = refusal({"config": toml('ice_servers = [{url = "turn:b.example", credential = "s3cret"}]')})
    assert "turn:b.example" in message
    assert "s3cret" not in message


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("workers", "0", "from 1 to 64"),
        ("workers", "65", "from 1 to 64"),
        ("workers", "two", "from 1 to 64"),
        ("workers", "9" * 5000, "from 1 to 64"),
        ("http", "127.0.0.1", "HOST:PORT"),
        ("http", "127.0.0.1:65536", "to 65535"),
        ("http", "::1:8080", "[::1]:8080"),
        ("http", "example.org:8080", "HOST:PORT"),
        ("udp", "localhost:7800", "IP:PORT"),
        ("udp", "127.0.0.1:7800,", "IP:PORT"),
        ("tcp", "127.0.0.1:7800,none", "none, or IP:PORT"),
        ("udp", "[::ffff:127.0.0.1]:7800", "IP:PORT"),
        ("udp", "[fe80::1%eth0]:7800", "IP:PORT"),
        ("announce", "media.example.org", "203.0.113.7"),
        ("announce", "0.0.0.0", "203.0.113.7"),
        ("tls_cert", "/no/such/file", "a file that exists"),
        ("insecure", "perhaps", "true or false"),
        ("log_level", "loud", "debug, info, warning, error"),
        ("ice_servers", "https://example.org", "stun:"),
        ("ice_servers", "turn:example.org", "credential"),
        ("consent_timeout_s", "nan", "from 5 to 600"),
        ("packets_per_worker", "10", "from 4096 to"),
        ("coalesce_us", "5001", "from 0 to"),
        ("instant_join_s", "11", "from 0 to 10"),
        ("crypto", "libsrtp", "auto, ipsec-mb, libcrypto"),
        ("max_body_bytes", "-1", "from 4096 to"),
        ("joins_per_s", "0", "from 0.01 to"),
        ("trusted_proxies", "10.0.0.1/8", "10.0.0.0/8"),
        ("drain_timeout_s", "-1", "from 0 to"),
    ],
)
def test_a_wrong_value_is_refused_by_key_value_and_what_is_allowed(key: str, value: str, allowed: str) -> None:
    option = next(option for option in OPTIONS if option.key == key)
    for message, origin in (
        (refusal({key: value}), option.flag),
        (refusal({}, {option.variable: value}), option.variable),
    ):
        assert message.startswith(origin)
        assert value in message
        assert allowed in message


KEY = "k" * 32


@pytest.mark.parametrize("value", ["main", f"main:{KEY[1:]}", f"ma in:{KEY}", f"a:{KEY},a:{KEY}", f"a:{KEY},b"])
def test_a_weak_or_malformed_key_is_refused_and_not_shown(value: str, toml: Toml) -> None:
    for message in (refusal({"keys": [value]}), refusal({}, {"FANWIRE_KEYS": value})):
        assert "32 bytes" in message or "each KID once" in message
        assert KEY[1:] not in message
    assert "hush" not in refusal({"config": toml('[keys]\nmain = "hush"')})


def test_keys_open_every_address_and_stay_out_of_sight(toml: Toml) -> None:
    sources = [
        load({"keys": [f"one:{KEY}", f"two:{KEY}:"], "http": "0.0.0.0:80"}, {}),
        load({}, {"FANWIRE_KEYS": f"one:{KEY}, two:{KEY}:", "FANWIRE_HTTP": "0.0.0.0:80"}),
        load({"config": toml(f'http = "0.0.0.0:80"\n[keys]\none = "{KEY}"\ntwo = "{KEY}:"')}, {}),
    ]
    for config in sources:
        assert config.access.keys == {"one": KEY, "two": f"{KEY}:"}
        assert ("0.0.0.0", 7800) in config.listen.udp
        assert KEY not in repr(config)


@given(
    st.sampled_from([option.key for option in OPTIONS]),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    ),
)
def test_whatever_stands_in_a_file_gives_a_config_or_a_refusal(key: str, value: object) -> None:
    with contextlib.suppress(ConfigError):
        assert isinstance(load({key: value}, {}), Config)


def test_a_misspelt_key_is_refused_with_the_right_one(toml: Toml) -> None:
    assert "did you mean 'workers'?" in refusal({"config": toml("workrs = 2")})


@pytest.mark.parametrize("text", ["workers = ", "workers = 2\nworkers = 3"])
def test_a_file_that_is_not_toml_is_refused_by_name(toml: Toml, text: str) -> None:
    path = toml(text)
    assert path in refusal({"config": path})
    assert "FANWIRE_CONFIG" in refusal({}, {"FANWIRE_CONFIG": "/no/such/file"})


@pytest.mark.parametrize(
    ("key", "value"),
    [("http", "0.0.0.0:80"), ("http", "[::]:80"), ("udp", "192.0.2.1:1")],
)
def test_an_address_that_others_reach_needs_insecure(key: str, value: str) -> None:
    message = refusal({}, {f"FANWIRE_{key.upper()}": value})
    assert "--insecure" in message
    assert value.rpartition(":")[0] in message
    load({key: value}, {"FANWIRE_INSECURE": "yes"})


@pytest.mark.parametrize("host", ["127.9.9.9", "[::1]", "localhost"])
def test_every_loopback_address_is_allowed(host: str) -> None:
    load({"http": f"{host}:80"}, {})


def test_workers_have_ports_of_their_own() -> None:
    assert load({"udp": "127.0.0.1:65533", "workers": "3"}, {}).listen.worker_udp(2) == (("127.0.0.1", 65535),)
    assert load({"udp": "127.0.0.1:0", "workers": "3"}, {}).listen.worker_udp(2) == (("127.0.0.1", 0),)
    assert "at most 65533" in refusal({"udp": "127.0.0.1:65534", "workers": "3"})
    assert "127.0.0.1:7802" in refusal({"udp": "127.0.0.1:7800,127.0.0.1:7802", "workers": "3"})


def test_tls_needs_a_certificate_and_its_own_open_key(tmp_path: Path) -> None:
    certificate, key = write_certificate(tmp_path, "one")
    _, other_key = write_certificate(tmp_path, "other")
    locked_certificate, locked_key = write_certificate(tmp_path, "locked", password=b"secret")
    assert load({"tls_cert": certificate, "tls_key": key}, {}).http.tls_context() is not None
    assert "--tls-key" in refusal({"tls_cert": certificate})
    assert "--tls-cert" in refusal({"tls_key": key})
    assert other_key in refusal({"tls_cert": certificate, "tls_key": other_key})
    assert locked_key in refusal({"tls_cert": locked_certificate, "tls_key": locked_key})


def test_the_command_line_refuses_with_status_2_and_one_message(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--workers", "0"]) == 2
    assert capsys.readouterr().err.splitlines() == [
        "fanwire: --workers: 0 is not allowed; expected a whole number from 1 to 64"
    ]


def test_an_address_in_use_ends_the_start_with_status_1_in_plain_words() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        options = ["--http", address, "--udp", "127.0.0.1:0", "--workers", "1"]
        command = [sys.executable, "-m", "fanwire.control", "serve", *options]
        ended = subprocess.run(command, stderr=subprocess.PIPE, text=True, timeout=30, check=False)
    assert ended.returncode == 1
    assert f"fanwire: --http: cannot listen on {address}: another program uses it already" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_documentation_lists_every_option_as_it_is_declared() -> None:
    written = option_tables.DOCUMENT.read_text()
    assert written == option_tables.with_tables(written), "run: python ci/support/option_tables.py"
