"""Polled APIs, where the contract of sources does not look."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from watchband.adapters.sources.poll import PollSettings, Seen
from watchband.core.duration import SECOND
from watchband.core.errors import PermanentError, TransientError
from watchband.core.ports import Batch
from watchband.core.series import SeriesKey
from watchband.testing.clock import VirtualClock
from watchband.testing.contracts.source_rig import within
from watchband.testing.outside import Answer, FaultyServer, Request

Serve = Callable[[Callable[[Request], Answer]], FaultyServer]


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def serve() -> Iterator[Serve]:
    made: list[FaultyServer] = []

    def start(answer: Callable[[Request], Answer]) -> FaultyServer:
        made.append(FaultyServer(answer))
        return made[-1]

    yield start
    for server in made:
        server.close()


def rounds(settings: PollSettings, clock: VirtualClock, count: int, position: str | None = None) -> list[Batch]:
    """What comes until so many rounds of asking have ended, which each says by its watermark."""
    source = settings.open("p", clock=clock)

    def work() -> list[Batch]:
        found: list[Batch] = []
        for batch in source.read(position):
            found.append(batch)
            if sum(bool(b.events) for b in found) == count:
                return found
        return found

    try:
        return within(work, "polling", source.close)
    finally:
        source.close()


def values(batches: list[Batch]) -> list[float]:
    return [v for b in batches for r in b.readings for v in r.values.tolist()]


def settings(server: FaultyServer, **changes: Any) -> PollSettings:
    return PollSettings(**{"url": server.url + "/v", "readings": {"t": "[*]"}, **changes})


def points(*pairs: tuple[int, float]) -> bytes:
    return json.dumps([{"time": t, "value": v} for t, v in pairs]).encode()


def test_the_same_answer_gives_nothing_twice(serve: Serve, clock: VirtualClock) -> None:
    server = serve(lambda request: Answer(points((1_700_000_000, 1.0), (1_700_000_060, 2.0))))
    batches = rounds(settings(server), clock, 3)
    assert (values(batches), len(server.asked)) == ([1, 2], 3)
    assert [s for s in clock.sleeps if s] != []


def test_unchanged_answers_are_not_sent_again(serve: Serve, clock: VirtualClock) -> None:
    def answer(request: Request) -> Answer:
        same = request.headers.get("if-none-match") == '"a"' and request.headers.get("if-modified-since") == "then"
        if same:
            return Answer(status=304)
        return Answer(points((1_700_000_000, 1.0)), headers={"ETag": '"a"', "Last-Modified": "then"})

    server = serve(answer)
    batches = rounds(settings(server), clock, 3)
    assert values(batches) == [1]
    assert [("if-none-match" in r.headers) for r in server.asked] == [False, True, True]


def test_since_follows_the_newest_reading(serve: Serve, clock: VirtualClock) -> None:
    server = serve(lambda request: Answer(points((1_769_904_000, 1.0))))
    chosen = settings(server, params={"from": "{since_s}"}, backfill=3600 * SECOND, lateness=30 * SECOND)
    began = clock.now() // SECOND
    batches = rounds(chosen, clock, 2)
    rounds(chosen, clock, 1, next(b.position for b in reversed(batches) if b.position))
    assert [int(r.query["from"]) for r in server.asked] == [began - 3600, 1_769_904_000 - 30, 1_769_904_000 - 30]


def test_pages_are_followed_and_put_in_order(serve: Serve, clock: VirtualClock) -> None:
    def answer(request: Request) -> Answer:
        page = int(request.query.get("page", 3))
        link = {"Link": f'</v?page={page - 1}>; rel="next", </v>; rel="first"'} if page else {}
        return Answer(points((1_700_000_000 + page, float(page))), headers=link)

    server = serve(answer)
    assert values(rounds(settings(server), clock, 1)) == [0, 1, 2, 3]
    assert values(rounds(settings(server, pages_max=2), clock, 1)) == [2, 3]


def test_the_next_page_is_of_the_same_server(serve: Serve, clock: VirtualClock) -> None:
    server = serve(lambda request: Answer(b'{"next": "http://127.0.0.1:1/x", "r": []}'))
    with pytest.raises(PermanentError, match="another server"):
        rounds(settings(server, readings={"t": "r[*]"}, next="next"), clock, 1)


def test_an_answer_that_is_too_large(serve: Serve, clock: VirtualClock) -> None:
    server = serve(lambda request: Answer(points(*[(1_700_000_000 + k, 1.0) for k in range(100)])))
    with pytest.raises(PermanentError, match="more than 1,024 bytes"):
        rounds(settings(server, max_bytes=1024), clock, 1)


def test_a_page_of_a_login_is_no_answer(serve: Serve, clock: VirtualClock) -> None:
    server = serve(lambda request: Answer(b"<html>please log in</html>", headers={"ETag": "x"}))
    with pytest.raises(TransientError, match="no JSON"):
        rounds(settings(server), clock, 1)


def test_large_answers_come_in_parts(serve: Serve, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("watchband.adapters.sources.poll.BATCH_POINTS", 10)
    server = serve(lambda request: Answer(points(*[(1_700_000_000 + k, float(k)) for k in range(25)])))
    batches = rounds(settings(server), clock, 1)
    assert [sum(len(r.times) for r in b.readings) for b in batches] == [10, 10, 5, 0]
    assert all(b.history for b in batches[:3])
    rest = rounds(settings(server), clock, 1, batches[0].position)
    assert values(rest) == [float(k) for k in range(10, 25)]


def test_a_position_remembers_what_was_delivered() -> None:
    seen = Seen(5)
    keys = [SeriesKey("t", {"sensor": str(k)}) for k in range(5)]
    assert [seen.takes(key, 10 + k % 2) for k, key in enumerate(keys)] == [True] * 5
    again = Seen.parse(str(seen))
    assert (again.began, again.last, again.newest) == (5, seen.last, 11)
    assert not again.takes(keys[1], 11)
    assert again.takes(keys[0], 11)
    with pytest.raises(PermanentError, match="of another kind"):
        Seen.parse("[1, 2]")
