"""What the story says: the verdict first, each sentence no stronger than its interval."""

from __future__ import annotations

import math
import shlex
from typing import TYPE_CHECKING, Any

from watchband.apps.library.story.figures import best_of, figure
from watchband.core import wording
from watchband.core.timestamp import parse_rfc3339

if TYPE_CHECKING:
    from watchband.apps.library.story.call import Story

EVENTS_FEW = 10
HEADLINES = {
    "better": "Use it: better than every simple rule on data it never saw",
    "worse": "Do not use it yet: a simple rule did better",
    "promising": "Promising, not proven: try it beside what you have",
    "level": "No gain shown over a simple rule",
}


def verdict(story: Story) -> str:
    """``better``, ``worse``, ``promising`` or ``level``, by the intervals on the test part alone."""
    differences = [_against(row) for row in story.baselines]
    known = [d for d in differences if math.isfinite(d[0])]
    few = int(story.selection.get("events", {}).get("test", 0)) < EVENTS_FEW
    if any(high < 0 for _, _, high in known):
        return "worse"
    if known and all(low > 0 for _, low, _ in known) and not few:
        return "better"
    return "promising" if known and all(value > 0 for value, _, _ in known) else "level"


def _against(row: dict[str, Any]) -> tuple[float, float, float]:
    return figure({"test": {"d": row.get("champion_minus_this_on_test")}}, "test", "d")


def headline(story: Story) -> str:
    """The verdict in words."""
    return HEADLINES[verdict(story)]


def asked(story: Story) -> list[str]:
    """What was asked, and by which rule it was to be answered."""
    said = story.selection
    told = [f"Find the detector and the setting with the highest {said['objective']}."]
    if said.get("labels") == "given":
        told.append("Right and wrong were counted against incidents that people had labelled.")
    else:
        told.append(
            "Nobody had labelled incidents, so faults of known kinds were put into the data: it says how "
            "well these are "
            "found, not yours."
        )
    rule = story.card["champion"]["configuration"].get("rule", "")
    if rule.startswith("budget:"):
        told.append(f"Alerts are held to a budget of {_budget(rule)} for each series.")
    return told


def _budget(rule: str) -> str:
    words = {"1w": "a week", "1d": "a day", "1h": "an hour", "4w2d": "a month"}
    count, _, period = rule.partition(":")[2].partition("/")
    return f"{count} {words.get(period, 'in ' + period)}"


def data(story: Story) -> list[str]:
    """What the data were."""
    found = story.data
    first, last = (parse_rfc3339(found[name]) for name in ("from", "to"))
    every = wording.duration(int(found["interval_ns"])) if found.get("interval_ns") else "irregular times"
    told = [
        f"{found['readings']:,} readings of {counted(found['series_count'], 'series', 'series')} "
        f"({wording.listed([str(m) for m in found['metrics'][:4]])}), one every {every}, "
        f"{wording.moment(first, 'UTC')} to {wording.moment(last, 'UTC')} UTC: {wording.duration(last - first)}."
    ]
    events, weeks = story.selection["events"], story.selection["weeks"]
    told.append(
        f"The past was cut by time: first to learn, then to choose ({counted(events['validation'], 'incident')}, "
        f"{_weeks(weeks['validation'])}), last to test ({counted(events['test'], 'incident')}, "
        f"{_weeks(weeks['test'])}), "
        "with time between that counts nowhere. The test was looked at once, when everything was settled."
    )
    return told


def _weeks(value: Any) -> str:
    return f"{wording.number(float(value), 2)} weeks of series" if value is not None else "no weeks"


def tried(story: Story) -> list[str]:
    """What was tried."""
    kinds = best_of(story.trials)
    told = [f"{counted(int(story.selection['configurations_tried']), 'configuration')} were tried"]
    if kinds:
        told[0] += f", of {counted(len(kinds), 'detector')}: {wording.listed(list(kinds)[:8])}"
    told[0] += f"; seed {story.selection['seed']}, so that the same data give the same search."
    if story.baselines:
        names = wording.listed([row["label"] for row in story.baselines])
        told.append(
            f"Beside them stood simple rules that people use without any model: {names}. They can win, not be chosen."
        )
    return told


def won(story: Story) -> list[str]:
    """What won and why; the sentences of the training itself."""
    return [*[str(s) for s in story.card.get("sentences", [])], f"The rule: {story.selection['rule']}"]


def cost(story: Story) -> list[str]:
    """What it would have cost in alerts."""
    series = int(story.data["series_count"])
    rate, low, high = figure(story.champion, "test", "alerts")
    if not math.isfinite(rate):
        return ["How often it alerts is not known."]
    told = [
        f"On the test part it alerted {_number(rate)} times a week for each series{_reach(low, high)}; "
        f"for all {counted(series, 'series', 'series')} about {_number(rate * series)} a week."
    ]
    precision = figure(story.champion, "test", "precision")
    if math.isfinite(precision[0]):
        reach = _reach(*precision[1:], share=True)
        told.append(f"{percent(precision[0])} of its alerts were about an incident{reach}.")
    for row in story.baselines:
        other = figure(row, "test", "alerts")[0]
        if math.isfinite(other) and rate > 0:
            told.append(f"{row['label']} alerted {_number(other)} times a week.")
    return told


def misses(story: Story) -> list[str]:
    """What it misses, and how late it is."""
    recall = figure(story.champion, "test", "recall")
    delay = figure(story.champion, "test", "delay")
    mistakes = story.card.get("mistakes", {})
    told = []
    if math.isfinite(recall[0]):
        reach = _reach(*recall[1:], share=True)
        told.append(
            f"It found {percent(recall[0])} of the incidents of the test part{reach} and missed "
            f"{mistakes.get('false_negatives', 0)}."
        )
    if math.isfinite(delay[0]):
        late = wording.duration(round(delay[0] * 3.6e12)) if delay[0] > 1 / 120 else "less than half a minute"
        told.append(f"What it found was told {late} after it began, on average.")
    told.append(f"{counted(int(mistakes.get('false_positives', 0)), 'alert')} came without an incident.")
    if int(mistakes.get("false_negatives", 0)) and any(m.get("fault") for m in story.mistakes):
        kinds = sorted({m["fault"] for m in story.mistakes if m["kind"] == "false_negative" and m["fault"]})
        if kinds:
            told.append(f"Missed kinds: {wording.listed(kinds)}.")
    return told


def sure(story: Story) -> list[str]:
    """How sure all this is."""
    events = int(story.selection["events"]["test"])
    told = []
    if events < EVENTS_FEW:
        told.append(
            f"Not very: the test part has {counted(events, 'incident')}. With fewer than {EVENTS_FEW}, one "
            "more or less would "
            "move every figure; read the intervals, not the numbers."
        )
    else:
        told.append(
            f"The test part has {counted(events, 'incident')}; the intervals say how far luck could move each figure."
        )
    gap = figure({"g": {"gap": story.champion.get("gap")}}, "g", "gap")
    if math.isfinite(gap[0]) and gap[1] > 0:
        told.append(
            f"The choice was fitted to its data: from choosing to testing it lost {_number(gap[0])}"
            f"{_reach(gap[1], gap[2])}, more than luck explains."
        )
    elif math.isfinite(gap[0]):
        told.append(
            f"From choosing to testing it {'lost' if gap[0] > 0 else 'gained'} {_number(abs(gap[0]))}, no more than "
            "luck explains."
        )
    sound, all_files = story.checked
    told.append(
        f"All {all_files} files are, byte for byte, what was trained."
        if sound == all_files
        else f"{all_files - sound} of {all_files} files are not what was trained; they are left out of this page."
    )
    return told


def steps(story: Story) -> list[tuple[str, str]]:
    """What to do: words, and the command where there is one."""
    folder = story.folder.name
    score = shlex.join(["watchband", "score", "today.csv", "--model", folder])
    found = verdict(story)
    if found == "worse":
        best = max(story.baselines, key=lambda row: _or_least(figure(row, "test", "objective")[0]))
        return [
            (f"Use the simple rule that did better, {best['label']}, until something beats it.",
             f"watchband detect FILES {best['flags']}"),
            ("Look at what it missed, label more incidents, and train again on more of the past.", ""),
        ]  # fmt: skip
    told = [("See what it says of today's data.", score)]
    if found == "better":
        told.append(("Put it to work: name the folder in a watch of the service (model: " + folder + "), and reload.",
                     "watchband check"))  # fmt: skip
    else:
        told.append(
            (
                "Let it run beside what you have for some weeks, rate its alerts, and train again with them as labels.",
                "",
            )
        )
    told.append(("Train again when the monitors of drift say that the past no longer speaks for the present.", ""))
    return told


def _or_least(value: float) -> float:
    return value if math.isfinite(value) else -math.inf


def counted(count: int, one: str, many: str = "") -> str:
    """So many of something."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def percent(share: float) -> str:
    """A share as people read it."""
    return f"{wording.number(100 * share, 2)}{wording.NO_BREAK}%"


def _number(value: float) -> str:
    return wording.number(value, 2)


def _reach(low: float, high: float, *, share: bool = False) -> str:
    """An interval in brackets; empty where there is none."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return ""
    ends = (percent(low), percent(high)) if share else (_number(low), _number(high))
    return f" (95{wording.NO_BREAK}% interval {ends[0]} to {ends[1]})"
