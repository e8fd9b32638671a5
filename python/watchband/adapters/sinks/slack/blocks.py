"""What a notice looks like in Slack: Block Kit, within its limits, in which no text of a series is read as markup.

Texts of series stand in ``rich_text`` elements, which Slack shows letter by letter; what stands in ``mrkdwn`` has its
three special characters escaped.
"""

from __future__ import annotations

from typing import Any

from watchband.adapters.sinks.message import Message

TEXT_MAX, FIELD_MAX, FIELDS_MAX, ALT_MAX = 2900, 1900, 10, 1900
_COLOURS = {"critical": "#c02a12", "warning": "#d98b06", "info": "#1f65a6"}
_ENDED = "#2e7d4f"
_MARKS = {"critical": ":red_circle:", "warning": ":large_orange_circle:", "info": ":large_blue_circle:"}
_ENDED_MARK = ":large_green_circle:"

Block = dict[str, Any]


def payload(message: Message, mention: str = "") -> dict[str, Any]:
    """``text`` and ``attachments`` of a message; ``mention`` as Slack writes it, ``<!here>``."""
    ended = message.event == "ended"
    mark = _ENDED_MARK if ended else _MARKS[message.severity]
    title = f"{mark} *{escaped(message.word)}* {escaped(message.title)}"
    return {
        "text": f"{mention} {title}" if mention else title,
        "unfurl_links": False,
        "unfurl_media": False,
        "attachments": [
            {
                "color": _ENDED if ended else _COLOURS[message.severity],
                "fallback": escaped(message.headline),
                "blocks": blocks(message),
            }
        ],
    }


def blocks(message: Message) -> list[Block]:
    """The sentence, the facts in two columns, the labels, the last readings, the link."""
    found = [_said(message.reason)]
    facts = [{"type": "mrkdwn", "text": _fact(name, text), "verbatim": True} for name, text in message.facts]
    found += [
        {"type": "section", "fields": facts[k : k + FIELDS_MAX]} for k in range(0, len(facts), FIELDS_MAX) if facts[k:]
    ]
    if message.spark:
        found.append(_said(f"{message.spark}  {message.spark_span}", code=len(message.spark)))
    if message.labels:
        text = "   ".join(f"{name}={value}" for name, value in message.labels)
        found.append({"type": "context", "elements": [{"type": "plain_text", "text": text[:TEXT_MAX], "emoji": False}]})
    if message.link:
        link = {"type": "link", "url": message.link, "text": "Open in Watchband"}
        found.append({"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [link]}]})
    return found


def reply(message: Message) -> str:
    """What is said in the thread of an alert when it changes."""
    return f"*{escaped(message.word)}* {escaped(message.title)}"


def escaped(text: str) -> str:
    """A text in which Slack finds no link, no mention and no entity.

    Examples
    --------
    >>> escaped("a<!channel>&b")
    'a&lt;!channel&gt;&amp;b'
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _fact(name: str, text: str) -> str:
    return f"*{escaped(name)}*\n{escaped(text)}"[:FIELD_MAX]


def _said(text: str, code: int = 0) -> Block:
    """A paragraph that is shown letter by letter, its first ``code`` letters in a fixed width."""
    elements: list[Block] = []
    if code:
        elements.append({"type": "text", "text": text[:code], "style": {"code": True}})
    if text[code:]:
        elements.append({"type": "text", "text": text[code : code + TEXT_MAX]})
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": elements}]}
