"""Slack: threads, charts, what it says when it refuses, and the limits of its blocks."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.adapters.listener import Listener, Says
from tests.adapters.sinks.slack_server import InvalidBlocks, SlackServer, check_message
from watchband.adapters.sinks.message import message_of
from watchband.adapters.sinks.slack.blocks import payload
from watchband.adapters.sinks.slack.sink import Slack, SlackSettings
from watchband.core.clock import SystemClock
from watchband.core.duration import MINUTE
from watchband.core.errors import ConfigError, PermanentError, TransientError
from watchband.core.ports import Notice
from watchband.core.secret import Secret
from watchband.testing.contracts.sink import START, a_notice, hostile_notices


class There:
    """A channel, and bots that write to it."""

    def __init__(self) -> None:
        self.slack = SlackServer()
        self.bots: list[Slack] = []
        self.listener = Listener(lambda asked: self.slack.answer(asked, self.listener.url))

    def bot(self, **settings: Any) -> Slack:
        given = {"token": Secret("xoxb-1-secret"), "channel": "C0123456789", "chart": False, **settings}
        made = SlackSettings(api_url=f"{self.listener.url}/api", allow_private=True, **given)
        self.bots.append(made.open("chat", clock=SystemClock()))
        return self.bots[-1]


@pytest.fixture
def there() -> Iterator[There]:
    found = There()
    with found.listener:
        yield found
        for bot in found.bots:
            bot.close()


def ended(**changes: Any) -> Notice:
    return a_notice(2, closed=START + 9 * MINUTE, **changes)


def test_an_alert_is_one_message_that_is_kept_up_to_date_and_a_thread(there: There) -> None:
    bot = there.bot()
    bot.write(a_notice())
    bot.write(ended())
    root, reply = there.slack.messages.values()
    assert "Ended" in root["text"]
    assert root["attachments"][0]["color"] == "#2e7d4f"
    assert reply["thread_ts"] == root["ts"]
    assert "as usual again after 9" in reply["text"]
    assert there.slack.calls == ["conversations.history", "chat.postMessage", "chat.update", "chat.postMessage"]


def test_after_a_restart_a_bot_finds_its_messages(there: There) -> None:
    there.bot().write(a_notice())
    again = there.bot()
    again.write(a_notice())
    assert len(there.slack.messages) == 1, "said twice"
    there.bot().write(ended())
    there.bot().write(ended())
    root, reply = there.slack.messages.values()
    assert reply["thread_ts"] == root["ts"]


def test_a_message_that_was_deleted_is_written_anew(there: There) -> None:
    bot = there.bot()
    bot.write(a_notice())
    there.slack.errors["chat.update"] = "message_not_found"
    bot.write(ended())
    assert ["Ended" in message["text"] for message in there.slack.messages.values()] == [False, True]
    assert not any("thread_ts" in message for message in there.slack.messages.values())


def test_without_the_scope_to_read_it_writes_a_new_message(there: There) -> None:
    there.slack.errors["conversations.history"] = "missing_scope"
    there.bot().write(a_notice())
    there.bot().write(ended())
    assert len(there.slack.messages) == 2
    assert not any("thread_ts" in message for message in there.slack.messages.values())


def test_a_bot_adds_the_chart_to_the_thread_and_words_do_not_wait_for_it(there: There) -> None:
    bot = there.bot(chart=True)
    bot.write(a_notice())
    (file,) = there.slack.files.values()
    assert file.startswith(b"\x89PNG")
    (shared,) = there.slack.shared
    assert shared["thread_ts"] == next(iter(there.slack.messages))
    there.slack.errors["files.getUploadURLExternal"] = "missing_scope"
    bot.write(ended())
    assert len(there.slack.messages) == 2
    assert len(there.slack.files) == 1


def test_only_the_configuration_calls_people_and_only_for_what_is_new_and_bad_enough(there: There) -> None:
    bot = there.bot(mention="<!here>", mention_from="warning")
    bot.write(a_notice(severity="info"))
    bot.write(a_notice(opened=START + MINUTE, severity="warning"))
    bot.write(ended(opened=START + MINUTE, severity="warning"))
    texts = [said["text"] for said in there.slack.said]
    assert ["<!here>" in text for text in texts] == [False, True, False, False]


@pytest.mark.parametrize(
    ("error", "expected", "said"),
    [
        ("invalid_auth", PermanentError, "Is the token right"),
        ("channel_not_found", PermanentError, "is the bot in it"),
        ("<!channel> xoxb-1-secret", PermanentError, "refused: channelxoxb1secret"),
        ("ratelimited", TransientError, "ratelimited"),
        ("internal_error", TransientError, "internal_error"),
    ],
)
def test_what_slack_says_in_the_body(there: There, error: str, expected: type[Exception], said: str) -> None:
    there.slack.errors |= {"chat.postMessage": error, "conversations.history": "missing_scope"}
    with pytest.raises(expected, match=said) as caught:
        there.bot().write(a_notice())
    assert "xoxb-1-secret" not in str(caught.value)


def test_an_answer_that_is_none_of_slack_is_tried_again() -> None:
    with Listener(Says(body=b"<html>log in to the guest network</html>")) as there:
        made = SlackSettings(token=Secret("t"), channel="C1", api_url=there.url, allow_private=True)
        sink = made.open("chat", clock=SystemClock())
        with pytest.raises(TransientError, match="no JSON"):
            sink.write(a_notice())
        sink.close()


def test_every_message_keeps_to_the_limits_of_blocks() -> None:
    for notice in [*hostile_notices(), a_notice(), ended(), dataclasses.replace(a_notice(), recent=None)]:
        message = message_of(dataclasses.replace(notice, link="https://wb.test/alerts/1"))
        many = tuple((f"Fact {k}", "x" * 5000) for k in range(40))
        for changed in (message, dataclasses.replace(message, facts=many, reason="y" * 10_000)):
            body = payload(changed, "<!here>")
            check_message(body)
            assert json.dumps(body)


def test_the_stand_in_refuses_what_slack_would() -> None:
    good = payload(message_of(a_notice()))
    check_message(good)
    (part,) = good["attachments"]
    section = {"type": "section", "fields": [{"type": "mrkdwn", "text": "x"}]}
    for blocks in (
        [section] * 51,
        [{"type": "section"}],
        [{"type": "sektion"}],
        [{**section, "fields": section["fields"] * 11}],
        [{**section, "fields": [{"type": "mrkdwn", "text": "x" * 2001}]}],
        [{**section, "fields": [{"type": "mrkdwn", "text": ""}]}],
        [{"type": "context", "elements": []}],
        [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": []}]}],
    ):
        with pytest.raises(InvalidBlocks):
            check_message({**good, "attachments": [{**part, "blocks": blocks}]})


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "either 'webhook_url' or 'token'"),
        ({"webhook_url": Secret("x"), "token": Secret("y")}, "either 'webhook_url' or 'token'"),
        ({"token": Secret("y")}, "give 'channel'"),
        ({"webhook_url": Secret("x"), "mention": "@here"}, "'mention' is <!here>"),
        ({"webhook_url": Secret("x"), "api_url": "http://127.0.0.1/api"}, "allow_private: true"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        SlackSettings(**settings)
