"""Mail: over TLS or not at all, in threads, with its chart, for everyone who can be reached."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.servers import free_port
from tests.adapters.sinks.mail_server import MailServer
from watchband.adapters.sinks.email.sink import Email, EmailSettings
from watchband.core.clock import SystemClock
from watchband.core.duration import MINUTE
from watchband.core.errors import ConfigError, PermanentError, TransientError
from watchband.core.secret import Secret
from watchband.testing.contracts.sink import START, a_notice

SENDER = "Watchband <watchband@example.com>"


@contextmanager
def server(folder: Path, **settings: Any) -> Iterator[MailServer]:
    there = MailServer(folder, **settings)
    try:
        yield there
    finally:
        there.close()


def opened(there: MailServer, **settings: Any) -> Email:
    given = {"ca_file": str(there.certificate), "to": ("oncall@example.com",), "chart": False, **settings}
    made = EmailSettings(host="127.0.0.1", port=there.port, sender=SENDER, allow_private=True, **given)
    return made.open("mail", clock=SystemClock())


def test_letters_of_an_alert_are_a_thread_and_repeats_have_one_id(tmp_path: Path) -> None:
    with server(tmp_path) as there:
        sink = opened(there, to=("a@example.com", "b@example.com"))
        sink.write(a_notice())
        sink.write(a_notice(2, closed=START + 9 * MINUTE))
        opened(there).write(a_notice())
    first, second, again = there.letters
    assert first["Message-ID"] == again["Message-ID"] == f"<watchband.{a_notice().id}@example.com>"
    assert second["References"] == second["In-Reply-To"] == first["Message-ID"]
    assert first["References"] is None
    assert first["X-RcptTo"] == "a@example.com, b@example.com"
    assert first["X-MailFrom"] == "watchband@example.com"
    assert first["Subject"].startswith("[Watchband] Critical: request_latency_ms is 1.1")
    assert second["Subject"].startswith("[Watchband] Ended: request_latency_ms is as usual again")
    assert (first["Auto-Submitted"], first["Importance"], second["Importance"]) == ("auto-generated", "high", None)


def test_the_chart_is_inside_and_has_words_for_those_who_do_not_see_it(tmp_path: Path) -> None:
    with server(tmp_path) as there:
        opened(there, chart=True).write(a_notice())
        opened(there, chart=True).write(dataclasses.replace(a_notice(opened=START + MINUTE), recent=None))
    with_chart, without = there.letters
    types = [part.get_content_type() for part in with_chart.walk()]
    assert types == ["multipart/alternative", "text/plain", "multipart/related", "text/html", "image/png"]
    *_, page, image = with_chart.walk()
    assert f'src="cid:{image["Content-ID"].strip("<>")}"' in page.get_content()
    assert 'alt="Chart of request_latency_ms from' in page.get_content()
    assert image.get_content().startswith(b"\x89PNG")
    assert len(image.get_content()) < 150_000
    assert "▁" in with_chart.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert [part.get_content_type() for part in without.walk()] == ["multipart/alternative", "text/plain", "text/html"]


def test_tls_from_the_first_byte_and_none_at_all(tmp_path: Path) -> None:
    with server(tmp_path, tls="tls") as there:
        opened(there, tls="tls").write(a_notice())
    assert len(there.letters) == 1
    with server(tmp_path, tls="none") as there:
        opened(there, tls="none").write(a_notice())
        with pytest.raises(PermanentError, match="STARTTLS"):
            opened(there).write(a_notice(opened=START + MINUTE))
    assert len(there.letters) == 1, "nothing goes out in the clear that was to be encrypted"


def test_a_certificate_that_nobody_signed_is_not_trusted(tmp_path: Path) -> None:
    with server(tmp_path) as there, pytest.raises(TransientError, match="certificate that is not trusted"):
        opened(there, ca_file=None).write(a_notice())
    with server(tmp_path, tls="tls") as there, pytest.raises(TransientError, match="certificate that is not trusted"):
        opened(there, tls="tls", ca_file=None).write(a_notice())
    assert not there.letters


def test_a_wrong_password_is_refused_for_good_and_not_shown(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("wrong-password-1\n")
    with server(tmp_path, user="wb", password="right") as there:
        sink = opened(there, username="wb", password=Secret(file=str(secret)))
        with pytest.raises(PermanentError, match="user name and password right") as caught:
            sink.write(a_notice())
        assert "wrong-password-1" not in str(caught.value)
        secret.write_text("right\n")
        sink.write(a_notice())
    assert len(there.letters) == 1, "a changed secret needs no restart"


def test_whom_a_letter_reached_is_not_sent_it_again(tmp_path: Path) -> None:
    refused = {"late@example.com": "450 4.2.0 busy", "never@example.com": "550 5.1.1 unknown"}
    with server(tmp_path, refused=refused) as there:
        sink = opened(there, to=("good@example.com", "late@example.com"))
        with pytest.raises(TransientError, match=r"late@example.com \(450"):
            sink.write(a_notice())
        with pytest.raises(TransientError):
            sink.write(a_notice())
        del there.refused["late@example.com"]
        sink.write(a_notice())
        sink.write(a_notice())
        assert [letter["X-RcptTo"] for letter in there.letters] == ["good@example.com", "late@example.com"]
        with pytest.raises(PermanentError, match="never"):
            opened(there, to=("never@example.com",)).write(a_notice())


def test_nobody_there_is_tried_again(tmp_path: Path) -> None:
    with server(tmp_path) as there:
        pass
    there.port = free_port()
    with pytest.raises(TransientError, match="does not answer"):
        opened(there).write(a_notice())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"to": ("a@b.test\r\nBcc: x@y.test",)}, "no address"),
        ({"to": ("nobody",)}, "no address"),
        ({"sender": "x\nBcc: y <a@b.test>"}, "'sender' is an address"),
        ({"username": "u"}, "belong together"),
        ({"username": "u", "password": Secret("p"), "tls": "none"}, "in the clear"),
        ({"allow_private": False}, "allow_private: true"),
    ],
)
def test_settings_that_cannot_work_are_refused(changes: dict[str, Any], said: str) -> None:
    good = {"host": "127.0.0.1", "sender": SENDER, "to": ("a@b.test",), "allow_private": True}
    with pytest.raises(ConfigError, match=said):
        EmailSettings(**{**good, **changes})
