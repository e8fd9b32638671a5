"""Every sink with a stand-in for its other side, as the contract wants them."""

from __future__ import annotations

import base64
import html
import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from tests.adapters.listener import Asked, Listener, Says
from tests.adapters.sinks.mail_server import MailServer
from tests.adapters.sinks.slack_server import SlackServer
from watchband.adapters.sinks.alertmanager import AlertmanagerSettings
from watchband.adapters.sinks.email.sink import EmailSettings
from watchband.adapters.sinks.jsonl import JsonlSettings
from watchband.adapters.sinks.slack.sink import SlackSettings
from watchband.adapters.sinks.stdout import Stdout, StdoutSettings
from watchband.adapters.sinks.webhook import WebhookSettings
from watchband.core.clock import SystemClock
from watchband.core.ports import Notice, Sink
from watchband.core.secret import Secret
from watchband.testing.contracts.sink import BUSY_S, Arrived, Mood

CLOCK = SystemClock()
ALLOWED_TAGS = {"html", "head", "meta", "style", "body", "table", "tr", "td", "p", "span", "h1", "br", "bdi", "img"}
SECRET = "s3cr3t-t0k3n-value"


class WebRig:
    """A sink that speaks to a web server."""

    secrets: Sequence[str] = (SECRET,)
    says_when = True
    knows_repeats = True
    moods: Sequence[Mood] = ("busy", "broken", "refusing", "gone")

    def __init__(self) -> None:
        self.now: Mood = "well"
        self.sinks: list[Any] = []
        self.taken: list[Asked] = []
        self.there = Listener(self.answer)
        self.there.__enter__()

    def mood(self, mood: Mood) -> None:
        self.now = mood

    def answer(self, asked: Asked) -> Says:
        if self.now == "busy":
            return Says(429, b"slow down", {"Retry-After": f"{BUSY_S:g}"})
        if self.now == "gone":
            return Says(raw=(b"",))
        if self.now != "well":
            # Who refuses shows what was wrong with the question.
            said = f"{asked.path} {asked.query} {asked.headers}".encode()
            return Says(500 if self.now == "broken" else 403, said)
        return self.take(asked)

    def take(self, asked: Asked) -> Says:
        self.taken.append(asked)
        return Says()

    def opened(self, settings: Any) -> Any:
        self.sinks.append(settings.open("sink", clock=CLOCK))
        return self.sinks[-1]

    def close(self) -> None:
        for sink in self.sinks:
            sink.close()
        self.there.__exit__()


class WebhookRig(WebRig):
    settings = WebhookSettings
    form = "native"

    def sink(self) -> Sink:
        return self.opened(
            WebhookSettings(
                secret_url=Secret(f"{self.there.url}/hooks/{SECRET}?key={SECRET}"),
                body=self.form,
                signing_key=Secret(SECRET),
                authorization=Secret(f"Bearer {SECRET}"),
                secret_headers={"X-Key": Secret(SECRET)},
                allow_private=True,
            )
        )

    def arrived(self) -> Sequence[Arrived]:
        return [Arrived(asked.headers["idempotency-key"], asked.body.decode()) for asked in self.taken]

    def harmless(self, arrived: Arrived, notice: Notice) -> None:
        labels = json.loads(arrived.text)["alert"]["labels"]
        assert labels["label"] == clean(notice.alert.series.labels["label"]), "not the label it was"


class CloudEventsRig(WebhookRig):
    form = "cloudevents"

    def harmless(self, arrived: Arrived, notice: Notice) -> None:
        event = json.loads(arrived.text)
        assert event["data"]["alert"]["labels"]["label"] == clean(notice.alert.series.labels["label"])
        assert event["source"].isascii()


class AlertmanagerBodyRig(WebhookRig):
    form = "alertmanager"

    def harmless(self, arrived: Arrived, notice: Notice) -> None:
        (alert,) = json.loads(arrived.text)["alerts"]
        check_labels(alert["labels"], notice)


def check_labels(labels: dict[str, str], notice: Notice) -> None:
    text = clean(notice.alert.series.labels["label"])
    assert labels["label"] == text or (labels["label"].startswith(text[:1000]) and len(labels["label"]) < 1020)
    assert labels["severity"] == notice.alert.severity
    assert all(name.isidentifier() and name.isascii() for name in labels)


class AlertmanagerRig(WebRig):
    settings = AlertmanagerSettings

    def sink(self) -> Sink:
        url = (self.there.url,)
        return self.opened(AlertmanagerSettings(url=url, username="wb", password=Secret(SECRET), allow_private=True))

    def take(self, asked: Asked) -> Says:
        if asked.method == "GET":
            return Says(body=b"[]")
        return super().take(asked)

    def arrived(self) -> Sequence[Arrived]:
        found = []
        for asked in self.taken:
            for alert in json.loads(asked.body):
                over = datetime.fromisoformat(alert["endsAt"]) < datetime.now(UTC)
                assert alert["endsAt"] > alert["startsAt"]
                text = json.dumps([alert["labels"], alert["annotations"]], ensure_ascii=False)
                found.append(Arrived(f"{alert['labels']} {over}", text + (" resolved" if over else "")))
        return found

    def harmless(self, arrived: Arrived, notice: Notice) -> None:
        check_labels(json.loads(arrived.text.removesuffix(" resolved"))[0], notice)


class SlackRig(WebRig):
    """By webhook; the server refuses what Slack would."""

    settings = SlackSettings
    knows_repeats = False

    def __init__(self) -> None:
        self.slack = SlackServer()
        super().__init__()

    def sink(self) -> Sink:
        return self.opened(
            SlackSettings(
                webhook_url=Secret(f"{self.there.url}/services/T000/B000/{SECRET}"),
                mention="<!here>",
                allow_private=True,
            )
        )

    def take(self, asked: Asked) -> Says:
        return self.slack.answer(asked, self.there.url)

    def arrived(self) -> Sequence[Arrived]:
        return [Arrived("", json.dumps(said, ensure_ascii=False)) for said in self.slack.said]

    def harmless(self, arrived: Arrived, notice: Notice) -> None:
        self.slack.check_no_markup(json.loads(arrived.text), allowed=("<!here>",))


class SlackBotRig(SlackRig):
    def sink(self) -> Sink:
        return self.opened(
            SlackSettings(
                token=Secret(SECRET), channel="C0123456789", api_url=f"{self.there.url}/api", allow_private=True
            )
        )


class EmailRig:
    settings = EmailSettings
    secrets: Sequence[str] = (SECRET, base64.b64encode(SECRET.encode()).decode())
    says_when = False
    knows_repeats = True
    moods: Sequence[Mood] = ("busy", "broken", "refusing")

    def __init__(self, folder: Path) -> None:
        self.server = MailServer(folder, user="wb", password=SECRET)

    def sink(self) -> Sink:
        return EmailSettings(
            host="127.0.0.1",
            port=self.server.port,
            username="wb",
            password=Secret(SECRET),
            sender="Watchband <watchband@example.com>",
            to=("oncall@example.com",),
            ca_file=str(self.server.certificate),
            allow_private=True,
        ).open("sink", clock=CLOCK)

    def mood(self, mood: Mood) -> None:
        said = {"busy": "451 4.7.1 greylisted", "broken": "421 4.3.0 trouble", "refusing": f"550 5.7.1 no, {SECRET}"}
        self.server.says = said.get(mood, "")

    def arrived(self) -> Sequence[Arrived]:
        found = []
        for letter in self.server.letters:
            bodies = [part.get_content() for part in letter.walk() if part.get_content_maintype() == "text"]
            found.append(Arrived(str(letter["Message-ID"]), "\n".join([str(letter["Subject"]), *bodies])))
        return found

    def harmless(self, arrived: Arrived, notice: Notice) -> None:
        letter = self.server.letters[-1]
        assert set(letter.keys()) == {
            *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "X-Auto-Response-Suppress"),
            *("X-Watchband-Notice", "Importance", "MIME-Version", "Content-Type", "X-Peer", "X-MailFrom", "X-RcptTo"),
        }
        assert letter["To"] == letter["X-RcptTo"] == "oncall@example.com"
        text, page = (part.get_content() for part in letter.walk() if part.get_content_maintype() == "text")
        assert not [c for c in text if c in "\x00\x07\x08\x1b\x7f\x9b\u202e\u2067"]
        tags = Tags(page)
        assert set(tags.names) <= ALLOWED_TAGS
        assert all(source.startswith("cid:chart-") for source in tags.sources)
        assert not [name for name in tags.attributes if name.startswith("on")]

    def close(self) -> None:
        self.server.close()


class Tags(HTMLParser):
    """Which tags, attributes and sources a page has."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.attributes: list[str] = []
        self.sources: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes += [name for name, _ in attrs]
        self.sources += [value or "" for name, value in attrs if name == "src"]


class JsonlRig:
    settings = JsonlSettings
    secrets: Sequence[str] = ()
    says_when = False
    knows_repeats = True
    moods: Sequence[Mood] = ("broken",)

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "alerts"
        self.folder.mkdir()
        self.path = self.folder / "alerts.jsonl"

    def sink(self) -> Sink:
        return JsonlSettings(path=str(self.path)).open("sink", clock=CLOCK)

    def mood(self, mood: Mood) -> None:
        away = self.folder.with_name("away")
        if mood == "broken":
            self.folder.rename(away)
        elif away.exists():
            away.rename(self.folder)

    def arrived(self) -> Sequence[Arrived]:
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        return [Arrived(json.loads(line)["id"], line) for line in lines]

    def harmless(self, arrived: Arrived, notice: Notice) -> None:
        assert json.loads(arrived.text)["alert"]["labels"]["label"] == notice.alert.series.labels["label"]

    def close(self) -> None:
        """Nothing is open."""


class StdoutRig:
    settings = StdoutSettings
    secrets: Sequence[str] = ()
    says_when = False
    knows_repeats = False
    moods: Sequence[Mood] = ("broken",)
    form = "line"

    def __init__(self) -> None:
        self.bytes = io.BytesIO()
        self.file = io.TextIOWrapper(self.bytes, encoding="ascii", errors="strict", newline="")

    def sink(self) -> Sink:
        self.last = Stdout("sink", self.form, self.file)
        return self.last

    def mood(self, mood: Mood) -> None:
        if mood == "broken":
            broken = io.StringIO()
            broken.close()
            self.last._file = broken

    def arrived(self) -> Sequence[Arrived]:
        return [Arrived("", line) for line in self.bytes.getvalue().decode().split("\n") if line]

    def harmless(self, arrived: Arrived, notice: Notice) -> None:
        assert arrived.text.isprintable()

    def close(self) -> None:
        self.file.close()


class StdoutJsonRig(StdoutRig):
    form = "json"

    def harmless(self, arrived: Arrived, notice: Notice) -> None:
        assert json.loads(arrived.text)["alert"]["labels"]["label"] == notice.alert.series.labels["label"]


def clean(text: str) -> str:
    """What UTF-8 makes of a text: it has no surrogates."""
    return text.encode("utf-8", "replace").decode()


def unescaped(text: str) -> str:
    return html.unescape(text)
