"""A stand-in for Slack: its methods as far as they are used, and the rules of Block Kit by which it refuses."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

from tests.adapters.listener import Asked, Says

BLOCKS = {"section", "context", "rich_text", "image", "header", "divider", "actions"}
CONTROL = re.compile(r"<[^>]*>")


class InvalidBlocks(Exception):
    """What Slack would refuse with invalid_blocks."""


class SlackServer:
    """``said`` are messages, updates and replies in order; ``messages`` is the channel by ts; ``files`` are uploads."""

    def __init__(self) -> None:
        self.said: list[dict[str, Any]] = []
        self.messages: dict[str, dict[str, Any]] = {}
        self.files: dict[str, bytes] = {}
        self.shared: list[dict[str, Any]] = []
        self.errors: dict[str, str] = {}
        self.calls: list[str] = []

    def answer(self, asked: Asked, url: str) -> Says:
        if asked.path.startswith("/upload/"):
            self.files[asked.path.rpartition("/")[2]] = asked.body
            return Says(body=b"OK")
        if asked.path.startswith("/services/"):
            return self._hook(json.loads(asked.body))
        method = asked.path.rpartition("/")[2]
        self.calls.append(method)
        assert asked.headers["authorization"].startswith("Bearer ")
        if method in self.errors:
            return _json({"ok": False, "error": self.errors[method]})
        if asked.headers["content-type"].startswith("application/json"):
            body = json.loads(asked.body)
        else:
            body = {k: v[0] for k, v in parse_qs(asked.body.decode()).items()}
        try:
            return _json({"ok": True, **getattr(self, "_" + method.replace(".", "_"))(body, url)})
        except InvalidBlocks as error:
            return _json({"ok": False, "error": "invalid_blocks", "detail": str(error)})

    def _hook(self, body: dict[str, Any]) -> Says:
        try:
            check_message(body)
        except InvalidBlocks as error:
            return Says(400, f"invalid_blocks: {error}".encode())
        self.said.append(body)
        return Says(body=b"ok")

    def _chat_postMessage(self, body: dict[str, Any], url: str) -> dict[str, Any]:  # noqa: N802
        check_message(body)
        ts = f"17000000{len(self.messages):02d}.000100"
        self.messages[ts] = {**body, "ts": ts}
        self.said.append(body)
        return {"ts": ts, "channel": body["channel"]}

    def _chat_update(self, body: dict[str, Any], url: str) -> dict[str, Any]:
        check_message(body)
        self.messages[body["ts"]] |= body
        self.said.append(body)
        return {"ts": body["ts"], "channel": body["channel"]}

    def _conversations_history(self, body: dict[str, Any], url: str) -> dict[str, Any]:
        assert body["include_all_metadata"] == "true"
        return {"messages": [m for m in self.messages.values() if "thread_ts" not in m]}

    def _conversations_replies(self, body: dict[str, Any], url: str) -> dict[str, Any]:
        return {"messages": [m for m in self.messages.values() if body["ts"] in (m["ts"], m.get("thread_ts"))]}

    def _files_getUploadURLExternal(self, body: dict[str, Any], url: str) -> dict[str, Any]:  # noqa: N802
        assert int(body["length"]) > 0
        assert body["filename"]
        assert body["alt_txt"]
        file = f"F{len(self.files)}"
        return {"upload_url": f"{url}/upload/{file}", "file_id": file}

    def _files_completeUploadExternal(self, body: dict[str, Any], url: str) -> dict[str, Any]:  # noqa: N802
        assert all(file["id"] in self.files for file in body["files"])
        self.shared.append(body)
        return {"files": body["files"]}

    def check_no_markup(self, said: dict[str, Any], allowed: tuple[str, ...] = ()) -> None:
        """Whatever Slack would read as a link, a mention or a picture is ours."""
        for text in [said["text"], *(text for text in markup(said))]:
            assert not [found for found in CONTROL.findall(text) if found not in allowed], text[:200]
        for element in elements(said):
            assert element["type"] in ("text", "link"), element
            assert element["type"] != "link" or element["url"].startswith("https://")


def _json(body: dict[str, Any]) -> Says:
    return Says(body=json.dumps(body).encode(), headers={"Content-Type": "application/json"})


def need(holds: object, what: str) -> None:
    if not holds:
        raise InvalidBlocks(what)


def check_message(body: dict[str, Any]) -> None:
    """The documented limits of a message and its blocks."""
    need(body.get("text"), "a message needs a text")
    need(len(body["text"]) <= 4000, "text")
    attachments = body.get("attachments", [])
    need(len(attachments) <= 20, "attachments")
    for part in [body, *attachments]:
        blocks = part.get("blocks", [])
        need(len(blocks) <= 50, "blocks")
        for block in blocks:
            check_block(block)
    need(len(json.dumps(body)) <= 100_000, "the whole")


def check_block(block: dict[str, Any]) -> None:
    need(block.get("type") in BLOCKS, f"type {block.get('type')}")
    if block["type"] == "section":
        need("text" in block or block.get("fields"), "a section needs text or fields")
        need(len(block.get("fields", [])) <= 10, "fields")
        for field in block.get("fields", []):
            check_text(field, 2000)
    if block["type"] == "context":
        need(1 <= len(block["elements"]) <= 10, "elements")
        for element in block["elements"]:
            check_text(element, 3000)
    if block["type"] == "image":
        need(len(block["alt_text"]) <= 2000, "alt_text")
    if block["type"] == "rich_text":
        for section in block["elements"]:
            need(section["type"] in ("rich_text_section", "rich_text_preformatted"), "rich_text")
            need(section["elements"], "an empty section")
            need(sum(len(e.get("text", "")) for e in section["elements"]) <= 3000, "rich_text length")
            need(all(e.get("text") for e in section["elements"] if e["type"] == "text"), "an empty text")


def check_text(text: dict[str, Any], most: int) -> None:
    need(text["type"] in ("plain_text", "mrkdwn"), "type of a text")
    need(1 <= len(text["text"]) <= most, "length of a text")
    need(text["type"] == "plain_text" or "emoji" not in text, "emoji is of plain_text only")
    need(text["type"] == "mrkdwn" or "verbatim" not in text, "verbatim is of mrkdwn only")


def elements(said: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every element of every rich_text block."""
    for attachment in said.get("attachments", []):
        for block in attachment["blocks"]:
            if block["type"] == "rich_text":
                for section in block["elements"]:
                    yield from section["elements"]


def markup(said: dict[str, Any]) -> Iterator[str]:
    """Every text that Slack reads as markup."""
    for attachment in said.get("attachments", []):
        yield attachment["fallback"]
        for block in attachment["blocks"]:
            for text in [*block.get("fields", []), *(block["elements"] if block["type"] == "context" else [])]:
                if text["type"] == "mrkdwn":
                    yield text["text"]
