"""The first file: what ``watchband init`` writes, alive at once and with a word on everything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from watchband.apps.config.writing import Writer, undollared

QUERIES = {
    "cpu_busy": '1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[5m]))',
    "memory_used": "1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes",
    "targets_down": "sum by (job) (1 - up)",
}
"""For a Prometheus of which nothing else is known: most have these."""


@dataclass(frozen=True)
class First:
    """What the file is to have.

    Parameters
    ----------
    prometheus : str
        Address of a Prometheus; none without one.
    queries : sequence of (name, expression)
        What it is asked; ``QUERIES`` without any.
    host, push : bool
        This machine's own metrics; the endpoint that takes points.
    budget : str
        Alerts that can be taken, per series.
    listen : str
        Where the server listens.
    data : str
        Directory of the store.
    slack_file : str
        File with the address of a Slack webhook; none without one.
    """

    prometheus: str = ""
    queries: Sequence[tuple[str, str]] = ()
    host: bool = True
    push: bool = True
    budget: str = "1/week"
    listen: str = "127.0.0.1:8470"
    data: str = "watchband-data"
    slack_file: str = ""

    def text(self) -> str:
        """The file."""
        page = Writer()
        page.comment("What 'watchband serve' does. Every key: docs/configuration.md of Watchband.")
        page.comment("watchband check          looks it through, asks the sources, says what would have alerted")
        page.comment("watchband serve          runs it; SIGHUP or POST /-/reload reads it again")
        page.comment("${NAME} and ${NAME:-default} come from the environment; better for secrets: a file, KEY_file.")
        page.blank()
        self._sources(page)
        page.blank()
        self._watches(page)
        page.blank()
        self._sinks(page)
        page.blank()
        page.comment("Everything that was acknowledged is kept here, durable, in one directory.")
        page.pair("store", {"path": self.data, "retention": {"raw": "30d", "hourly": "400d"}})
        page.blank()
        page.comment("Points come in here, and Prometheus scrapes /metrics. Give it tokens before others can reach it:")
        page.comment("  tokens: {ci: {token_file: /run/secrets/watchband, role: write}}")
        page.pair("server", {"listen": self.listen})
        page.blank()
        page.comment("Limits. Where memory is short, series of the watches with the lowest 'priority' go first.")
        page.pair("engine", {"max_series": 100_000, "max_memory": "4GB"})
        return page.text()

    def _sources(self, page: Writer) -> None:
        page.comment("Where metrics come from, by names of your own. A name that is a kind needs no 'kind'.")
        page.pair("sources", None)
        if self.prometheus:
            page.comment("Asked every minute, and at first for its past, so that the bands are there at once.", 1)
            page.pair("prom", None, 1)
            page.pair("kind", "prometheus", 2)
            page.pair("url", self.prometheus, 2)
            page.comment("Series get the name of their query. Sum away labels that come and go, such as pod.", 2)
            page.pair("queries", None, 2)
            for name, expression in self.queries or QUERIES.items():
                page.pair(name, undollared(expression), 3)
            page.pair("every", "1m", 2)
            page.pair("backfill", "2w", 2)
        if self.host:
            page.comment("This machine: processor, memory, load, disks, network.", 1)
            page.pair("host", {}, 1)
        if self.push:
            page.comment("What programs send. Try it:", 1)
            page.comment('  curl --json "{\\"series\\": \\"orders\\", \\"time\\": $(date +%s), \\"value\\": 42}" \\', 1)
            page.comment(f"    {self._push_url}", 1)
            page.pair("push", {}, 1)
        if not self.prometheus:
            page.comment("A Prometheus, VictoriaMetrics, Thanos or Mimir:", 1)
            page.comment("prom:", 1)
            page.comment("  kind: prometheus", 1)
            page.comment("  url: http://localhost:9090", 1)
            page.comment("  queries: {requests: 'sum by (service) (rate(http_requests_total[5m]))'}", 1)
        page.blank()
        page.comment("Series that are computed of others:")
        page.comment("expressions: {error_ratio: errors / requests}")

    @property
    def _push_url(self) -> str:
        return f"http://{self.listen}/api/v1/points"

    def _watches(self, page: Writer) -> None:
        page.comment("Which series are judged, and how. 'auto' learns each by itself: no thresholds.")
        page.pair("watches", None)
        page.pair("everything", None, 1)
        page.comment('As in Prometheus: cpu, cpu{host="a"}, {job=~"api|web",env!="dev"}; * is every series.', 2)
        page.pair("match", "*", 2)
        page.pair("detector", "auto", 2)
        page.comment("Alerts you can take, per series. The limit of each follows from it.", 2)
        page.pair("budget", self.budget, 2)
        page.comment("Often wanted besides: direction: above, range: '0:100', min_deviation: 5, consecutive: 3,", 2)
        page.comment("timezone: Europe/Berlin, holidays: DE, route: [alerts], priority: 200.", 2)

    def _sinks(self, page: Writer) -> None:
        page.comment("Who is told. Every watch without a 'route' tells all of them.")
        page.pair("sinks", None)
        page.comment("A file with one JSON document a line.", 1)
        page.pair("alerts", {"kind": "jsonl", "path": "alerts.jsonl"}, 1)
        if self.slack_file:
            page.pair("slack", {"kind": "slack", "webhook_url_file": self.slack_file}, 1)
        else:
            page.comment("slack: {kind: slack, webhook_url_file: /run/secrets/slack}", 1)
