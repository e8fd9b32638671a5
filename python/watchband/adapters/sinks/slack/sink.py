"""The sink: one message an alert, brought up to date while it lasts, with a thread of what happened."""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, ClassVar

from watchband.adapters.addresses import check_url
from watchband.adapters.outbound import Answer, Limits, Outbound
from watchband.adapters.sinks.message import Message, message_of
from watchband.adapters.sinks.picture import Picture, picture_of
from watchband.adapters.sinks.slack.blocks import escaped, payload, reply
from watchband.core import params
from watchband.core.clock import Clock
from watchband.core.duration import SECOND
from watchband.core.errors import AdapterError, ConfigError, PermanentError, TransientError
from watchband.core.kinds import Duration, FilePath, SecretText, Url
from watchband.core.params import Choice, Flag, Integer, Maybe, Text, param
from watchband.core.ports import Notice
from watchband.core.secret import Secret

KNOWN_MAX = 10_000
LOOKED_AT = 200
EVENT = "watchband_alert"
_MENTION = re.compile(r"<!(here|channel|everyone)>|<@[UW][A-Z0-9]+>|<!subteam\^S[A-Z0-9]+>")
_AGAIN = ("ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout")
_FIRST_WAIT = 30.0


@dataclass(frozen=True, kw_only=True)
class SlackSettings:
    """Alerts in a channel: by an incoming webhook, or as a bot, which also keeps threads and shows charts."""

    kind: ClassVar[str] = "slack"

    webhook_url: Secret | None = param(None, Maybe(SecretText()), "Address of an incoming webhook.")
    token: Secret | None = param(None, Maybe(SecretText()), "Instead: token of a bot, xoxb-….")
    channel: str | None = param(None, Maybe(Text("C0123456789 or #name")), "Where the bot writes.")
    mention: str | None = param(
        None, Maybe(Text("as Slack writes it: `<!here>`, `<@U…>`, `<!subteam^S…>`")), "Who is called by a new alert."
    )
    mention_from: str = param("critical", Choice(("critical", "warning", "info")), "Lowest severity that calls them.")
    chart: bool = param(True, Flag(), "A bot adds a chart to the thread.")
    api_url: str = param("https://slack.com/api", Url(), "Where Slack's methods are.")
    timeout: int = param(10 * SECOND, Duration(SECOND // 10, 300 * SECOND), "For the whole answer.")
    per_minute: int = param(50, Integer(0), "Most notices in a minute; 0: any number. Slack takes one a second.")
    allow_private: bool = param(False, Flag(), "The address may be private or on this machine.")
    ca_file: str | None = param(None, Maybe(FilePath()), "Certificates to trust instead of the system's.")

    def __post_init__(self) -> None:
        params.check(self)
        if (self.webhook_url is None) == (self.token is None):
            raise ConfigError("Slack takes either 'webhook_url' or 'token'. Give one of them (or its _file).")
        if self.token is not None and not self.channel:
            raise ConfigError("A bot needs to know where it writes: give 'channel'.")
        if self.mention is not None and not _MENTION.fullmatch(self.mention):
            raise ConfigError(f"'mention' is <!here>, <@U…> or <!subteam^S…>. Got {self.mention!r}.")
        check_url(self.api_url, allow_private=self.allow_private)

    def open(self, name: str, *, clock: Clock) -> Slack:
        """The sink."""
        return Slack(name, self, clock)


class Slack:
    """Writes to Slack, which knows no repeats: a notice that was sent and not noted is sent again after a crash.

    As a bot it marks its messages and looks for them after a restart, where it may read the channel's history; then
    nothing is said twice.
    """

    def __init__(self, name: str, settings: SlackSettings, clock: Clock) -> None:
        self.name, self.per_minute = name, settings.per_minute
        self._settings, self._started = settings, clock.now()
        limits = Limits(read=settings.timeout / SECOND, total=settings.timeout / SECOND, body=8 << 20)
        self._out = Outbound(
            allow_private=settings.allow_private,
            limits=limits,
            secret_path=settings.webhook_url is not None,
            ca_file=settings.ca_file,
        )
        # Of every alert where its message stands, and which of its changes were told.
        self._known: OrderedDict[str, tuple[str, str]] = OrderedDict()
        self._told: OrderedDict[str, None] = OrderedDict()

    def write(self, notice: Notice) -> None:
        """Tell of a change: a message by webhook; as a bot the alert's message anew and a line in its thread."""
        if notice.id in self._told:
            return
        message = message_of(notice)
        if self._settings.webhook_url is not None:
            body = payload(message, self._mention(notice))
            self._out.request("POST", self._settings.webhook_url.reveal(), json=body)
        else:
            self._as_bot(notice, message)
        _remember(self._told, notice.id, None)

    def _mention(self, notice: Notice) -> str:
        ranks = ("info", "warning", "critical")
        called = ranks.index(notice.alert.severity) >= ranks.index(self._settings.mention_from)
        return self._settings.mention or "" if called and notice.revision == 1 and not notice.alert.closed else ""

    def _as_bot(self, notice: Notice, message: Message) -> None:
        alert = notice.alert
        mark = {"event_type": EVENT, "event_payload": {"alert": alert.id, "notice": notice.id}}
        if alert.id not in self._known and (notice.revision > 1 or alert.decided < self._started):
            self._look_for(alert.id, alert.decided)
        if notice.id in self._told:
            return
        place = self._known.get(alert.id)
        if place is not None:
            # Bringing up to date may be repeated, a line in the thread may not: so the line comes last.
            try:
                self._call("chat.update", {"channel": place[0], "ts": place[1], **payload(message)})
            except PermanentError:
                # It was deleted, or may no longer be changed: people are told by a new one.
                place = None
            else:
                line = {"channel": place[0], "thread_ts": place[1], "text": reply(message), "metadata": mark}
                self._call("chat.postMessage", line)
        if place is None:
            said = self._call(
                "chat.postMessage",
                {"channel": self._settings.channel, "metadata": mark, **payload(message, self._mention(notice))},
            )
            place = str(said.get("channel", self._settings.channel)), str(said["ts"])
            _remember(self._known, alert.id, place)
        if self._settings.chart and (picture := picture_of(notice)):
            # The words have arrived: a chart that does not is no reason to say them again.
            try:
                self._show(place, picture, message)
            except AdapterError:
                return

    def _look_for(self, alert: str, since: int) -> None:
        """Where an earlier process put the message of an alert; nowhere if the history may not be read."""
        asked = {
            "channel": self._settings.channel,
            "include_all_metadata": "true",
            "limit": str(LOOKED_AT),
            "oldest": f"{max(0, since // SECOND - 3600)}",
        }
        try:
            found = self._call("conversations.history", asked, form=True)
        except PermanentError:
            return
        for said in found.get("messages", []):
            mark = said.get("metadata", {})
            if mark.get("event_type") == EVENT and mark.get("event_payload", {}).get("alert") == alert:
                _remember(self._known, alert, (str(self._settings.channel), str(said["ts"])))
                self._note(said)
                asked = {"channel": self._settings.channel, "ts": said["ts"], "include_all_metadata": "true"}
                for line in self._call("conversations.replies", asked, form=True).get("messages", []):
                    self._note(line)

    def _note(self, said: dict[str, Any]) -> None:
        told = said.get("metadata", {}).get("event_payload", {}).get("notice")
        if told:
            _remember(self._told, str(told), None)

    def _show(self, place: tuple[str, str], picture: Picture, message: Message) -> None:
        size = {"filename": picture.name, "length": str(len(picture.png)), "alt_txt": picture.alt[:1000]}
        there = self._call("files.getUploadURLExternal", size, form=True)
        self._out.request(
            "POST", str(there["upload_url"]), content=picture.png, headers={"Content-Type": "application/octet-stream"}
        )
        self._call(
            "files.completeUploadExternal",
            {
                "files": [{"id": there["file_id"], "title": escaped(message.title)[:200]}],
                "channel_id": place[0],
                "thread_ts": place[1],
            },
        )

    def _call(self, method: str, body: dict[str, Any], *, form: bool = False) -> dict[str, Any]:
        assert self._settings.token is not None
        sent: dict[str, Any] = {"data": body} if form else {"content": json.dumps(body).encode()}
        kind = "application/x-www-form-urlencoded" if form else "application/json; charset=utf-8"
        headers = {"Authorization": f"Bearer {self._settings.token.reveal()}", "Content-Type": kind}
        answer = self._out.request("POST", f"{self._settings.api_url.rstrip('/')}/{method}", headers=headers, **sent)
        return _checked(answer, method)

    def close(self) -> None:
        """Let go of connections; a ``write`` in flight ends."""
        self._out.close()


def _checked(answer: Answer, method: str) -> dict[str, Any]:
    """Slack says in the body whether it did what it was asked."""
    found = answer.json()
    if not isinstance(found, dict):
        raise TransientError(f"Slack's {method} answered something else than it should.")
    if found.get("ok"):
        return found
    error = re.sub(r"[^a-z0-9_]", "", str(found.get("error", "unknown")))[:60]
    if error in _AGAIN:
        raise TransientError(f"Slack's {method} failed: {error}.", retry_after=_FIRST_WAIT if "rate" in error else None)
    raise PermanentError(
        f"Slack's {method} refused: {error}. {_ADVICE.get(error, 'See its page for what that means')}."
    )


_ADVICE = {
    "invalid_auth": "Is the token right?",
    "token_revoked": "Make a new token",
    "channel_not_found": "Is the channel right, and is the bot in it?",
    "not_in_channel": "Invite the bot to the channel",
    "is_archived": "The channel is archived: name another",
    "missing_scope": "The bot needs chat:write, and files:write for charts",
}


def _remember(kept: OrderedDict[str, Any], key: str, value: Any) -> None:
    kept[key] = value
    kept.move_to_end(key)
    if len(kept) > KNOWN_MAX:
        kept.popitem(last=False)
