"""Every text of the backtest's report in one place, beside the sentences it shares with the terminal."""

from __future__ import annotations

TITLE = "Backtest"
CANDIDATES = "Candidates"
CANDIDATES_ASIDE = "95 % intervals over {units}"
TIMELINE = "What would have alerted"
MISTAKES = "Worst mistakes"
NO_MISTAKES = "No false alert and no missed event."
STRANGEST = "Strangest alerts"
NO_ALERTS = "No alert opened in what counts."
MISSED = "Missed events"
FALSE = "False alerts"
SPLITS = "Chosen before, reported after"
SPLITS_NOTE = (
    "Each part is reported on after a choice in all that came before it. What a candidate loses from choosing to "
    "reporting is what overfitting costs."
)
EVERY = "Every mistake as a table"
EVERY_ALERT = "Every alert as a table"
MORE = "{n} more are in alerts.csv and mistakes.csv."
MORE_SERIES = "{n} more series are in summary.json."
FAILURES = "Not replayed"
FAILURES_NOTE = "A series that one candidate could not judge counts for none."
SETTINGS = "How this was made"
NO_CHART = "No chart: the scores were not kept."
LEGEND = (
    ("event", "labelled event"),
    ("hit", "alert in an event"),
    ("false", "false alert"),
    ("missed", "missed event"),
    ("other", "aftermath, or a further alert"),
    ("learning", "warming up, does not count"),
)
LEGEND_BARE = (("other", "alert"), ("learning", "warming up, does not count"))
COLUMNS = {
    "rate": "alerts a week",
    "f1": "event F1",
    "precision": "precision",
    "recall": "recall",
    "found": "found",
    "false": "false",
    "delay": "delay, median",
    "alerts": "alerts",
    "vus": "VUS-PR",
    "fpr": "points flagged wrongly",
}
KEYS = (
    ("1 – 9", "choose a candidate"),
    ("j k", "next, previous mistake"),
    ("t", "every mistake as a table"),
    ("d", "light, dark, system"),
    ("?", "these keys"),
)
SCRIPT = {"themes": {"": "as the system", "light": "light", "dark": "dark"}, "showing": "Showing"}
