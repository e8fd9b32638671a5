"""What only the whole configuration can say: mistakes across sections, and doubts."""

from __future__ import annotations

import pytest

from watchband.apps.config.config import ConfigProblems, read_text

PROM = "sources: {p: {kind: prometheus, url: 'http://h:1', queries: {cpu: up, errors: e}}}\n"


def warned(text: str) -> list[str]:
    config = read_text(text, "w.yaml", {})
    return [str(warning) for warning in config.warnings if "told to nobody" not in warning.message]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "watches: {a: {route: chta}}\nsinks: {chat: {kind: stdout}}",
            r"^w.yaml:1:22: Unknown sink in 'route' of watch 'a': 'chta'. Did you mean 'chat'\? Known: chat.$",
        ),
        ("watches: {a: {route: [x, y]}}\nsinks: {x: {kind: stdout}}", r"^w.yaml:1:26: Unknown sink .* 'y'"),
        ("watches: {a: {route: x}}", r"^w.yaml:1:22: Unknown sink .* Known: none.$"),
        (PROM + "expressions: {cpu: errors * 2}", r"^w.yaml:2:15: Expression 'cpu' has the name of a metric of"),
        ("watches: {a: {}, a: {}}", r"^w.yaml:1:18: 'a' is already given at w.yaml:1:11"),
        ("watches: {a: {priority: 5000}}", r"^w.yaml:1:25: 'priority' of watch 'a' must be an integer from 0 to 1000"),
        ("watches: {a: {budget: 1/day, cutoff: 3}}", r"^w.yaml:1:\d+: budget and cutoff exclude each other"),
        ("expressions: {a: errors /}", r"^w.yaml:1:18: Expression 'a': "),
        ("sources: {a: {kind: promteheus}}", r"^w.yaml:1:21: Unknown kind of source .* Did you mean 'prometheus'"),
        ("sources: {a: {url: x}}", r"^w.yaml:1:14: Source 'a' needs a 'kind'. Known: "),
        ("sources: {a: {kind: [x]}}", r"'kind' of source 'a' is a word"),
        ("store: {kind: floppy}", r"^w.yaml:1:15: Unknown kind of store 'floppy'"),
        ("enginee: {}", r"^w.yaml:1:1: Unknown section 'enginee'. Did you mean 'engine'\?"),
        ("watches: 5", r"^w.yaml:1:10: Section 'watches' is a mapping of names. Got 5"),
        ("watches: {'-x': {}}", r"^w.yaml:1:11: '-x' is no name of a watch"),
        ("relabel: [{action: keepequal}, 5]", r"rule 1 of relabel|target_label"),
        ("server: {tls_cert_file: a}", r"go together"),
    ],
)  # fmt: skip
def test_mistakes(text: str, said: str) -> None:
    with pytest.raises(ConfigProblems, match=said):
        read_text(text, "w.yaml", {})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            PROM + "watches: {a: {match: cpuu}}",
            "w.yaml:2:22: Watch 'a' matches nothing by 'cpuu': no source gives such a metric. Did you mean 'cpu'? "
            "Known: cpu, errors.",
        ),
        (PROM + "watches: {a: {match: [cpu, mem]}}", "w.yaml:2:28: Watch 'a' matches nothing by 'mem'"),
        (PROM + "watches: {a: {match: '{__name__=~\"mem.*\"}'}}", "matches nothing"),
        (PROM + "watches: {a: {match: cpu}, b: {match: cpu}}", "w.yaml:2:28: Watch 'b' says the same as 'a'"),
        (PROM + "watches: {a: {route: []}}\nsinks: {x: {kind: stdout}}", "w.yaml:3:9: Sink 'x' is told nothing"),
        (PROM + "watches: {a: {}}\nserver: {listen: '0.0.0.0:1'}", "w.yaml:3:18: Whoever reaches 0.0.0.0:1 may push"),
        ("sources: {push: {}, b: {kind: push}}\nwatches: {a: {}}", "w.yaml:1:21: Source 'b' gets nothing"),
        ("watches: {a: {}}", "w.yaml:1:1: Nothing comes in"),
        ("sources: {push: {}}", "w.yaml:1:1: Nothing is judged"),
    ],
)
def test_doubts(text: str, said: str) -> None:
    (warning,) = warned(text)
    assert said in warning


@pytest.mark.parametrize(
    "text",
    [
        PROM + "watches: {a: {match: '*'}, b: {match: '{job=\"x\"}'}, c: {match: 'cpu{a=\"b\"}'}}",
        PROM + "expressions: {ratio: errors / cpu}\nwatches: {a: {match: ratio}}",
        PROM + "relabel: [{target_label: __name__, replacement: x}]\nwatches: {a: {match: x}}",
        PROM.replace("sources: {", "sources: {push: {}, ") + "watches: {a: {match: mem}}",
        PROM.replace("errors: e}", "errors: e}, keep_names: true") + "watches: {a: {match: mem}}",
        PROM + "watches: {a: {match: cpu}}\nserver: {listen: '0.0.0.0:1', tokens: {t: {token: x}}}",
    ],
)
def test_nothing_is_doubted_that_may_be_meant(text: str) -> None:
    assert warned(text) == []
