"""Draw what people see of an alert: the mail, light and dark, and the message in Slack's manner.

python -m tools.sink_pictures            # writes docs/images/sink-*.png; needs Chromium
"""

from __future__ import annotations

import base64
import html
import json
import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from watchband.adapters.sinks.email.letter import letter
from watchband.adapters.sinks.message import message_of
from watchband.adapters.sinks.picture import picture_of
from watchband.adapters.sinks.slack.blocks import payload, reply
from watchband.core.alert import alert_id
from watchband.core.ports import Notice, Stretch
from watchband.core.series import SeriesKey
from watchband.testing.contracts.outbox import an_alert

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
MINUTE = 60_000_000_000
START = 1_772_370_120_000_000_000


def incident(*, closed: bool = False) -> Notice:
    """A latency that rose for a quarter of an hour."""
    n = 180 if closed else 174
    base = 800 + 150 * np.sin(np.arange(n) / 60)
    y = base + np.random.default_rng(1).normal(0, 40, n)
    hot = np.zeros(n, np.bool_)
    hot[158:174] = True
    y[hot] += 2200 * np.linspace(0.4, 1, 16)
    times = START + np.arange(n) * MINUTE
    recent = Stretch(times, y, base, base - 160, base + 160, np.abs(y - base) / 160, hot)
    key = SeriesKey("request_latency_ms", {"service": "checkout", "host": "web-1", "region": "eu-west-1"})
    opened, peak = int(times[158]), 173
    name = 'request_latency_ms{host="web-1",region="eu-west-1",service="checkout"}'
    is_, since = ("was", "for 21\u00a0min from") if closed else ("is", "for 15\u00a0min since")
    sentence = (
        f"{name} {is_} 3.05\u00a0s; expected 0.678–0.998\u00a0s. 6.4 band widths above {since} 16:40, seen by auto: "
        "band and forest."
    )
    alert = replace(
        an_alert(opened, series=key, id=alert_id(key, "web latency", opened), watch="web latency", detector="auto"),
        severity="critical",
        decided=opened + MINUTE,
        peak_time=int(times[peak]),
        closed=int(times[-1]) if closed else None,
        value=float(y[peak]),
        expected=float(base[peak]),
        lower=float(base[peak] - 160),
        upper=float(base[peak] + 160),
        widths=6.4,
        anomaly_score=4.23,
        points=16,
        members=("band", "forest"),
        reason=sentence,
    )
    link = f"https://watchband.example.com/alerts/{alert.id}"
    return Notice(alert, 2 if closed else 1, "chat", recent=recent, zone="Europe/Berlin", link=link)


def mail(notice: Notice) -> str:
    """The HTML of the mail, its picture inside."""
    made = letter(
        notice, sender="w@example.com", to=["o@example.com"], prefix="[Watchband]", domain="example.com", now=START
    )
    page = next(part for part in made.walk() if part.get_content_type() == "text/html").get_content()
    image = next(part for part in made.walk() if part.get_content_type() == "image/png").get_content()
    return re.sub(r'src="cid:[^"]*"', f'src="data:image/png;base64,{base64.b64encode(image).decode()}"', page)


_SLACK = """
body { font: 15px/1.46 Lato, "Segoe UI", Roboto, Arial, sans-serif; color: #1d1c1d; margin: 0; padding: 14px 20px;
  width: 760px; background: #fff; }
.who { font-weight: 900 } .app { background: #ddd; color: #616061; font-size: 10px; padding: 1px 3px }
.row { display: flex; gap: 10px; margin-bottom: 14px } .face { width: 36px; height: 36px; border-radius: 5px;
  background: #1f65a6; color: #fff; text-align: center; line-height: 36px; font-weight: 700; flex: none }
.bar { border-left: 4px solid; border-radius: 4px; padding: 2px 0 2px 12px; margin-top: 6px }
.fields { display: grid; grid-template-columns: 1fr 1fr; gap: 6px 18px; margin: 8px 0 }
.context { color: #616061; font-size: 13px; margin: 6px 0 } code { background: #f6f6f6; border: 1px solid #ddd;
  border-radius: 3px; color: #c01343; font: 12px Menlo, "DejaVu Sans Mono", monospace;
  padding: 2px 3px; white-space: pre }
a { color: #1264a3; text-decoration: none } .thread { margin-left: 46px; border-top: 1px solid #ddd; padding-top: 12px }
.dot { display: inline-block; width: 13px; height: 13px; border-radius: 50%; vertical-align: -1px }
.at { color: #1264a3; background: #fff3d1 }
"""
_DOTS = {"red": "#e0245e", "large_orange": "#f2a33a", "large_blue": "#3b8bdb", "large_green": "#43a25a"}


def slack(notice: Notice, after: Notice) -> str:
    """A page that shows the payloads as Slack would; its own look differs in details."""
    said, chart = payload(message_of(notice), "<!here>"), picture_of(notice)
    assert chart is not None
    (part,) = said["attachments"]
    image = f'<img width="420" src="data:image/png;base64,{base64.b64encode(chart.png).decode()}">'
    body = _row(
        f"<div>{_mrkdwn(said['text'])}</div><div class='bar' style='border-color:{part['color']}'>"
        + "".join(map(_block, part["blocks"])) + "</div>"
    )  # fmt: skip
    thread = _row(image) + _row(_mrkdwn(reply(message_of(after))))
    return f"<!doctype html><meta charset=utf-8><style>{_SLACK}</style>{body}<div class=thread>{thread}</div>"


def _row(inside: str) -> str:
    head = "<div><span class=who>Watchband</span> <span class=app>APP</span></div>"
    return f"<div class=row><div class=face>W</div><div>{head}{inside}</div></div>"


def _mrkdwn(text: str) -> str:
    text = text.replace("<!here>", '<span class="at">@here</span>')
    dot = r'<span class="dot" style="background:{}"></span>'
    text = re.sub(r":(\w+)_circle:", lambda m: dot.format(_DOTS[m[1]]), text)
    return re.sub(r"\*(.+?)\*", r"<b>\1</b>", text).replace("\n", "<br>")


def _block(block: dict[str, Any]) -> str:
    if block["type"] == "section":
        return "<div class=fields>" + "".join(f"<div>{_mrkdwn(f['text'])}</div>" for f in block["fields"]) + "</div>"
    if block["type"] == "context":
        return "".join(f"<div class=context>{html.escape(e['text'])}</div>" for e in block["elements"])
    parts = []
    for element in block["elements"][0]["elements"]:
        text = html.escape(element["text"])
        if element["type"] == "link":
            text = f"<a href='#'>{text}</a>"
        elif "style" in element:
            text = f"<code>{text}</code>"
        parts.append(text)
    return f"<div>{''.join(parts)}</div>"


def main() -> None:
    """Write the pictures."""
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium")
    assert path, "This needs Chromium: apt-get install chromium"
    before, after = incident(), incident(closed=True)
    pages = {"sink-email": (mail(before), 680, "light"), "sink-email-dark": (mail(before), 680, "dark"),
             "sink-slack": (slack(before, after), 800, "light")}  # fmt: skip
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for name, (page, width, scheme) in pages.items():
            shown = browser.new_page(
                viewport={"width": width, "height": 400}, color_scheme=scheme, device_scale_factor=1.5
            )  # type: ignore[arg-type]
            shown.set_content(page)
            shown.screenshot(path=IMAGES / f"{name}.png", full_page=True)
        browser.close()
    print(json.dumps(sorted(pages)), file=sys.stderr)


if __name__ == "__main__":
    main()
