"""What a notice looks like as a letter: subject, text, HTML that reads in light and dark clients, the chart inside."""

from __future__ import annotations

import html
from collections.abc import Sequence
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime

from watchband.adapters.sinks.message import Message, message_of, plain
from watchband.adapters.sinks.picture import Picture, picture_of
from watchband.core.duration import SECOND
from watchband.core.ports import Notice

_COLOURS = {"critical": "#c02a12", "warning": "#b36b00", "info": "#1f65a6"}
_ENDED = "#2e7d4f"
_STYLE = """
:root { color-scheme: light dark; supported-color-schemes: light dark; }
body { margin: 0; padding: 0; background: #f2f4f6; }
.page { background: #f2f4f6; }
.card { background: #ffffff; border: 1px solid #dce1e6; border-radius: 6px; }
.ink { color: #12181f; } .soft { color: #5f6a76; } .rule { border-top: 1px solid #dce1e6; }
.spark { font-family: Menlo, Consolas, "DejaVu Sans Mono", monospace; white-space: pre; }
@media (prefers-color-scheme: dark) {
  body, .page { background: #0e1319 !important; }
  .card { background: #141a21 !important; border-top-color: #35414d !important;
    border-right-color: #35414d !important; border-bottom-color: #35414d !important; }
  .ink { color: #e9eef3 !important; } .soft { color: #b3bec9 !important; }
  .rule { border-color: #35414d !important; }
  .link { color: #78b0e4 !important; }
}
"""


def letter(
    notice: Notice, *, sender: str, to: Sequence[str], prefix: str, domain: str, now: int, chart: bool = True
) -> EmailMessage:
    """The letter of a notice; ``now`` in ns UTC, ``domain`` of the message's id."""
    message = message_of(notice)
    picture = picture_of(notice) if chart else None
    # Lines as long as the standards allow: what is longer is encoded, never broken by a mail server.
    made = EmailMessage(policy.SMTP.clone(max_line_length=900))
    made["From"], made["To"] = sender, ", ".join(to)
    made["Subject"] = plain(f"{prefix} {message.headline}".strip(), 180)
    made["Date"] = format_datetime(datetime.fromtimestamp(now // SECOND, UTC))
    made["Message-ID"] = message_id(notice.id, domain)
    if notice.revision > 1:
        first = message_id(f"{notice.alert.id}-1", domain)
        made["In-Reply-To"], made["References"] = first, first
    made["Auto-Submitted"] = "auto-generated"
    made["X-Auto-Response-Suppress"] = "All"
    made["X-Watchband-Notice"] = notice.id
    if notice.alert.severity == "critical" and message.event != "ended":
        made["Importance"] = "high"
    made.set_content(message.text())
    cid = f"chart-{notice.id}@{domain}"
    made.add_alternative(page(message, picture, cid), subtype="html")
    if picture is not None:
        parts = made.get_payload()
        assert isinstance(parts, list)
        body = parts[1]
        assert isinstance(body, EmailMessage)
        body.add_related(picture.png, "image", "png", cid=f"<{cid}>", filename=picture.name, disposition="inline")
    return made


def message_id(notice_id: str, domain: str) -> str:
    """The same for every repeat: servers that know repeats drop them."""
    return f"<watchband.{notice_id}@{domain}>"


def page(message: Message, picture: Picture | None, cid: str) -> str:
    """The HTML part; every text is escaped, and set apart from the direction of what surrounds it."""
    colour = _ENDED if message.event == "ended" else _COLOURS[message.severity]
    chart = (
        f'<img src="cid:{html.escape(cid)}" width="600" alt="{_safe(picture.alt)}" '
        'style="width:100%;max-width:600px;height:auto;border:0;display:block;border-radius:4px">'
        if picture is not None
        else ""
    )
    spark = (
        f'<p class="spark ink" style="margin:12px 0 0;font-size:15px">{_safe(message.spark)}'
        f'<span class="soft" style="font-size:12px">  {_safe(message.spark_span)}</span></p>'
        if message.spark and picture is None
        else ""
    )
    link = (
        f'<p style="margin:16px 0 0"><a class="link" href="{html.escape(message.link)}" '
        'style="color:#1f65a6">Open in Watchband</a></p>'
        if message.link
        else ""
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">'
        f'<meta name="supported-color-schemes" content="light dark"><style>{_STYLE}</style></head>'
        '<body class="page"><table role="presentation" width="100%" cellpadding="0" cellspacing="0" class="page"><tr>'
        '<td align="center" style="padding:20px 10px"><table role="presentation" width="640" cellpadding="0" '
        'cellspacing="0" class="card" style="max-width:640px;width:100%;'
        f'border-left:5px solid {colour}"><tr><td class="ink" style="padding:18px 20px;'
        'font:15px/1.45 -apple-system,Segoe UI,Roboto,Helvetica,Arial,sans-serif">'
        f'<p style="margin:0;font-size:13px;font-weight:600"><span style="background:{colour};color:#ffffff;'
        f'padding:2px 8px;border-radius:3px">{_safe(message.word)}</span></p>'
        f'<h1 style="margin:8px 0 10px;font-size:19px;line-height:1.3">{_safe(message.title)}</h1>'
        f'<p style="margin:0 0 14px">{_safe(message.reason)}</p>{chart}{spark}{_table(message)}{link}'
        "</td></tr></table></td></tr></table></body></html>"
    )


def _table(message: Message) -> str:
    labels = "<br>".join(f"{_safe(k)} = <bdi>{_safe(v)}</bdi>" for k, v in message.labels)
    rows = [(_safe(name), _safe(text)) for name, text in message.facts] + ([("Labels", labels)] if labels else [])
    name_style = "padding:5px 14px 5px 0;vertical-align:top;white-space:nowrap;font-size:13px"
    text_style = "padding:5px 0;width:100%;font-size:14px;overflow-wrap:anywhere"
    cells = "".join(
        f'<tr><td class="soft rule" style="{name_style}">{name}</td>'
        f'<td class="rule" style="{text_style}">{text}</td></tr>'
        for name, text in rows
    )
    table_style = "margin-top:14px;border-collapse:collapse"
    return f'<table cellpadding="0" cellspacing="0" width="100%" style="{table_style}">{cells}</table>'


def _safe(text: str) -> str:
    return html.escape(text, quote=True)
