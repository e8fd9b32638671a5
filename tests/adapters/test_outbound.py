"""The one way out: which addresses, how long, how much, and what an answer means."""

from __future__ import annotations

import datetime
import gzip
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adapters.certificate import a_certificate
from tests.adapters.listener import Asked, Listener, Says
from watchband.adapters.addresses import check_url, permitted, refusal
from watchband.adapters.answers import seconds_of
from watchband.adapters.outbound import Limits, Outbound
from watchband.core.errors import AdapterError, ConfigError, PermanentError, TransientError

PRIVATE = [
    *("127.0.0.1", "127.9.9.9", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.1.1", "100.64.0.1"),
    *("192.0.2.1", "198.18.0.1", "240.0.0.1", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "fec0::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a00:1", "64:ff9b::a00:1", "64:ff9b::7f00:1", "64:ff9b:1::808:808"),
    *("2002:7f00:1::", "2002:a00:1::", "::127.0.0.1", "2001:db8::1", "2001::1"),
]
NEVER = [
    *("0.0.0.0", "::", "255.255.255.255", "224.0.0.1", "239.255.255.250", "ff02::1", "169.254.169.254"),
    *("::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "169.254.170.2", "100.100.100.200", "fd00:ec2::254"),
    "2002:a9fe:a9fe::",
]
PUBLIC = [
    *("8.8.8.8", "1.1.1.1", "172.15.0.1", "172.32.0.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"),
    "2002:808:808::",
]


OPEN: list[Outbound] = []


def outbound(**settings: object) -> Outbound:
    """A client that is closed when the test ends."""
    OPEN.append(Outbound(**settings))  # type: ignore[arg-type]
    return OPEN[-1]


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    while OPEN:
        OPEN.pop().close()


def address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    return ipaddress.ip_address(text.partition("%")[0])


@pytest.mark.parametrize("text", PRIVATE)
def test_private_addresses_need_the_switch(text: str) -> None:
    assert refusal(address(text), allow_private=False)
    assert not refusal(address(text), allow_private=True)


@pytest.mark.parametrize("text", NEVER)
def test_some_addresses_are_never_spoken_to(text: str) -> None:
    assert refusal(address(text), allow_private=True)


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses_are_fine(text: str) -> None:
    assert not refusal(address(text), allow_private=False)


@pytest.mark.parametrize("url", ["http://localhost/", "http://a.localhost:1/", "http://[::1]/", "http://LOCALHOST./"])
def test_what_is_known_beforehand_is_refused_in_the_configuration(url: str) -> None:
    with pytest.raises(ConfigError, match=r"loopback address\. Write allow_private: true"):
        check_url(url, allow_private=False)
    check_url(url, allow_private=True)


def test_of_several_addresses_only_the_good_ones_are_used() -> None:
    numbers = ["10.0.0.1", "8.8.8.8", "169.254.169.254", "1.1.1.1"]
    assert permitted("x.test", 80, allow_private=False, resolve=lambda h, p: numbers) == ["8.8.8.8", "1.1.1.1"]
    with pytest.raises(PermanentError, match=r"x\.test stands for 10\.0\.0\.1, which is a private address"):
        permitted("x.test", 80, allow_private=False, resolve=lambda h, p: numbers[:1])
    with pytest.raises(TransientError, match="no address now"):
        permitted("x.test", 80, allow_private=True, resolve=lambda h, p: [])


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "127.1", "0177.0.0.1"])
def test_other_spellings_of_loopback_are_caught_when_resolved(host: str) -> None:
    with pytest.raises((PermanentError, TransientError)) as caught:
        outbound(allow_private=False).request("GET", f"http://{host}:9/")
    assert "loopback" in str(caught.value) or "no address" in str(caught.value)


def test_the_address_that_was_checked_is_the_one_connected_to() -> None:
    """A name that is resolved twice may stand for something else the second time."""
    asked = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.255.255.1"]

    with Listener(Says(body=b"hello")) as there:
        out = outbound(allow_private=True, resolve=resolve)
        answer = out.request("GET", f"http://watchband.test:{there.port}/a?q=1", params={"p": "ü &"})
    assert (answer.status, answer.body, asked) == (200, b"hello", ["watchband.test"])
    assert there.asked[0].headers["host"] == f"watchband.test:{there.port}", "the name stays in the Host header"
    assert there.asked[0].headers["user-agent"].startswith("watchband/")


def test_tls_is_checked_against_the_name_of_the_url(tmp_path: Path) -> None:
    certificate, key = a_certificate(tmp_path, "watchband.test")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with Listener(Says(body=b"hello"), tls=context) as there:

        def get(host: str, ca_file: str | None) -> bytes:
            out = outbound(allow_private=True, ca_file=ca_file, resolve=lambda h, p: ["127.0.0.1"])
            return out.request("GET", f"https://{host}:{there.port}/").body

        assert get("watchband.test", str(certificate)) == b"hello"
        for host, trusted in (("other.test", str(certificate)), ("watchband.test", None)):
            with pytest.raises(TransientError, match="certificate that is not trusted"):
                get(host, trusted)
    with pytest.raises(ConfigError, match="cannot be read"):
        get("watchband.test", str(tmp_path / "none.pem"))


STATUSES = {
    200: None,
    204: None,
    301: PermanentError,
    400: PermanentError,
    401: PermanentError,
    404: PermanentError,
    408: TransientError,
    410: PermanentError,
    422: PermanentError,
    425: TransientError,
    429: TransientError,
    500: TransientError,
    503: TransientError,
}


def test_what_a_status_means() -> None:
    with Listener(lambda asked: Says(int(asked.path[1:]))) as there:
        out = outbound(allow_private=True)
        for status, expected in STATUSES.items():
            if expected is None:
                assert out.request("POST", f"{there.url}/{status}", json={}).status == status
                continue
            with pytest.raises(expected) as caught:
                out.request("POST", f"{there.url}/{status}", json={})
            assert caught.value.status == status
            assert str(status) in str(caught.value)
            assert out.request("GET", f"{there.url}/{status}", allow=[status]).status == status


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7.0), ("-3", 0.0), ("1e9", 86400.0), ("nan", None), ("soon", None), ("", None)]
)
def test_how_long_to_wait(header: str, seconds: float | None) -> None:
    with Listener(Says(429, headers={"Retry-After": header})) as there:
        out = outbound(allow_private=True)
        with pytest.raises(TransientError) as caught:
            out.request("GET", there.url)
    assert caught.value.retry_after == seconds


def test_how_long_to_wait_as_a_date() -> None:
    now = datetime.datetime(2026, 3, 1, tzinfo=datetime.UTC).timestamp()
    assert seconds_of("Sun, 01 Mar 2026 00:02:00 GMT", now) == 120.0
    assert seconds_of("Sat, 28 Feb 2026 00:02:00 GMT", now) == 0.0


def test_errors_hold_no_secrets() -> None:
    secret = "xoxb-1234-abcd"

    def echo(asked: Asked) -> Says:
        return Says(403, f"no: {asked.headers.get('authorization')} {asked.path} {asked.query}\n\x1b[31m".encode())

    with Listener(echo) as there:
        out = outbound(allow_private=True, secret_path=True)
        headers = {"Authorization": f"Bearer {secret}"}
        with pytest.raises(PermanentError) as caught:
            out.request("GET", f"{there.url}/services/T0SECRETS/PATHSECRET?token={secret}", headers=headers)
    text = f"{caught.value} {caught.value!r} {caught.value.__cause__}"
    for hidden in (secret, "T0SECRETS", "PATHSECRET", "\x1b", "\n"):
        assert hidden not in text
    assert f"http://127.0.0.1:{there.port}/…" in text


def test_passwords_schemes_and_nonsense_are_no_addresses() -> None:
    out = outbound(allow_private=True)
    for url in (
        "http://u:p@127.0.0.1/",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "http://",
        "http://[::1",
        "http://a:x/",
    ):
        with pytest.raises(PermanentError) as caught:
            out.request("GET", url)
        assert "u:p" not in str(caught.value)
    with pytest.raises(PermanentError, match="https only"):
        outbound(allow_private=True, schemes=["https"]).request("GET", "http://127.0.0.1/")


def test_a_redirect_goes_nowhere_unless_that_was_asked_for() -> None:
    def answer(asked: Asked) -> Says:
        return Says(302, headers={"Location": target}) if asked.path == "/" else Says(body=str(asked.headers).encode())

    with Listener(answer) as other, Listener(answer) as there:
        target = "/there"
        headers = {"Authorization": "Bearer abcdefgh"}
        with pytest.raises(PermanentError, match=r"redirects.*Configure the final address"):
            outbound(allow_private=True).request("GET", there.url, headers=headers)
        out = outbound(allow_private=True, redirects=1)
        assert b"abcdefgh" in out.request("GET", f"{there.url}/", headers=headers).body
        with pytest.raises(PermanentError, match="redirects"):
            out.request("POST", there.url, headers=headers)
        target = f"{other.url}/there"
        assert b"abcdefgh" not in out.request("GET", f"{there.url}/", headers=headers).body
        target = "http://169.254.169.254/latest/meta-data"
        with pytest.raises(PermanentError, match="metadata service"):
            out.request("GET", f"{there.url}/", headers=headers)
        target = f"{there.url}/"
        with pytest.raises(PermanentError, match="redirects"):
            out.request("GET", f"{there.url}/", headers=headers)


def test_an_answer_has_a_size_also_after_decompression() -> None:
    for says in (Says(body=b"x" * 2000), Says(body=gzip.compress(b"x" * 2000), headers={"Content-Encoding": "gzip"})):
        with Listener(says) as there:
            out = outbound(allow_private=True, limits=Limits(body=1999))
            with pytest.raises(PermanentError, match="more than 1,999 bytes"):
                out.request("GET", there.url)
            assert len(out.request("GET", there.url, limits=Limits(body=2000)).body) == 2000


def test_a_body_that_cannot_be_decompressed() -> None:
    says = Says(body=b"not gzip", headers={"Content-Encoding": "gzip"})
    with Listener(says) as there, pytest.raises(TransientError, match="decompressed"):
        outbound(allow_private=True).request("GET", there.url)


def test_no_connection_and_no_answer_are_transient() -> None:
    with Listener() as gone:
        pass
    with pytest.raises(TransientError, match="does not answer: Connection refused"):
        outbound(allow_private=True).request("GET", gone.url)
    for raw in ((b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",), (b"nonsense\r\n\r\n",), (b"HTTP/1.1 ",)):
        with Listener(Says(raw=raw)) as there, pytest.raises(TransientError, match="broke off"):
            outbound(allow_private=True).request("GET", there.url)
    with pytest.raises(TransientError, match="no address now"):
        outbound(allow_private=True, resolve=_unknown).request("GET", "http://nowhere.test/")


def _unknown(host: str, port: int) -> list[str]:
    raise OSError(-2, "Name or service not known")


def test_silence_and_trickling_end() -> None:
    """An answer that keeps coming a byte at a time is cut off by the time for the whole."""
    go = threading.Event()
    silent = Says(raw=(b"HTTP/1.1 200 OK\r\n", b"a: b\r\n"), between=lambda: go.wait(20) and None)
    with Listener(silent) as there:
        with pytest.raises(TransientError, match="no whole answer within the time allowed"):
            outbound(allow_private=True, limits=Limits(read=0.05)).request("GET", there.url)
        go.set()
    pause = threading.Event()
    slow = Says(raw=(b"HTTP/1.1 200 OK\r\n\r\n", *[b"x"] * 1000), between=lambda: pause.wait(0.02) and None)
    with Listener(slow) as there:
        with pytest.raises(TransientError, match="no whole answer"):
            outbound(allow_private=True, limits=Limits(read=5, total=0.1)).request("GET", there.url)
        pause.set()


def test_streaming_takes_as_long_as_it_likes_and_ends_when_closed() -> None:
    pieces = (b"HTTP/1.1 200 OK\r\n\r\n", b"data: 1\r", b"\ndata: 2\n\n\rda", b"ta: 3\n", b"rest")
    out = outbound(allow_private=True, limits=Limits(total=5))
    with Listener(Says(raw=pieces)) as there, out.stream("GET", there.url) as stream:
        assert stream.status == 200
        assert [line for line in stream.lines() if line] == [b"data: 1", b"data: 2", b"data: 3"]
    with Listener(Says(raw=(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 100))) as there:
        out = outbound(allow_private=True)
        with (
            pytest.raises(PermanentError, match="a line of more than 50 bytes"),
            out.stream("GET", there.url) as stream,
        ):
            list(stream.lines(50))
    with Listener(Says(500)) as there, pytest.raises(TransientError), out.stream("GET", there.url):
        raise AssertionError("an error is no stream")


def test_close_wakes_who_waits() -> None:
    never = threading.Event()
    told: list[AdapterError] = []
    started = threading.Event()

    def listen() -> None:
        try:
            with out.stream("GET", there.url) as stream:
                for _ in stream.chunks():
                    started.set()
        except TransientError as error:
            told.append(error)

    says = Says(raw=(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", b"x"), between=lambda: _until(never, started))
    with Listener(says) as there:
        out = outbound(allow_private=True)
        thread = threading.Thread(target=listen)
        thread.start()
        assert started.wait(20)
        out.close()
        thread.join(20)
        never.set()
    assert not thread.is_alive()
    assert told


def _until(never: threading.Event, started: threading.Event) -> None:
    if started.is_set():
        never.wait(20)


def test_json_that_is_none_is_somebody_else_answering() -> None:
    with Listener(Says(body=b"<html>log in</html>")) as there:
        answer = outbound(allow_private=True).request("GET", there.url)
        with pytest.raises(TransientError, match=r"no JSON.*log in.*proxy"):
            answer.json()


def test_json_that_is_none_and_repeats_a_secret_does_not_show_it() -> None:
    with Listener(Says(body=b"<html>you said Bearer s3cr3t-t0ken</html>")) as there:
        headers = {"Authorization": "Bearer s3cr3t-t0ken"}
        answer = outbound(allow_private=True).request("GET", there.url, headers=headers)
        with pytest.raises(TransientError, match=r"no JSON.*you said") as raised:
            answer.json()
    assert "s3cr3t" not in str(raised.value) + repr(answer)
