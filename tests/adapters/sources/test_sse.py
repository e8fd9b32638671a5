"""The client of event streams, where the contract of sources does not look."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adapters.sources.instruments import MINUTE, STREAM, Instruments
from watchband.adapters.sources.sse.source import Place, SseSettings, SseSource
from watchband.core.duration import SECOND
from watchband.core.errors import PermanentError, TransientError
from watchband.core.events import SourceResumed, WatermarkMoved
from watchband.core.ports import Batch
from watchband.core.secret import Secret
from watchband.testing.clock import VirtualClock
from watchband.testing.contracts.source_rig import within
from watchband.testing.outside import Answer, FaultyServer, Request

MILLISECOND = 1_000_000


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def instruments(clock: VirtualClock) -> Iterator[Instruments]:
    made = Instruments(clock.now(), content_type="text/event-stream")
    yield made
    made.close()


def settings(url: str, **changes: object) -> SseSettings:
    return SseSettings(
        **{"url": url, "readings": {"t": "results[0].values[*]"}, "time": "date", "retry": 100 * MILLISECOND, **changes}  # type: ignore[arg-type]
    )


def take(source: SseSource, readings: int, position: str | None = None) -> list[Batch]:
    def work() -> list[Batch]:
        found: list[Batch] = []
        for batch in source.read(position):
            found.append(batch)
            if sum(len(r.times) for b in found for r in b.readings) >= readings:
                break
        return found

    return within(work, "reading", source.close)


def values(batches: list[Batch]) -> list[float]:
    return [v for b in batches for r in b.readings for v in r.values.tolist()]


def test_an_event_that_breaks_off_comes_again(instruments: Instruments, clock: VirtualClock) -> None:
    for k in range(6):
        instruments.add(Sensor1=float(k))
    instruments.cut_after = 3
    source = settings(instruments.url + STREAM).open("s", clock=clock)
    batches = take(source, 6)
    assert values(batches) == [0, 1, 2, 3, 4, 5]
    first, second = instruments.server.asked
    assert "last-event-id" not in first.headers
    assert second.headers["last-event-id"] == "3"
    assert len(clock.sleeps) == 1, "the stream said 100 ms"
    assert 0.05 <= clock.sleeps[0] <= 0.15
    resumed = [event for batch in batches for event in batch.events if isinstance(event, SourceResumed)]
    assert len(resumed) == 2, "once a connection"


def test_a_secret_is_read_at_each_connection(instruments: Instruments, clock: VirtualClock, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("first\n")
    for _ in range(2):
        instruments.add()
    instruments.cut_after = 1
    source = settings(instruments.url + STREAM, token=Secret(file=str(file))).open("s", clock=clock)
    reader = source.read()
    for text in ("first", "second"):
        file.write_text(text + "\n")
        got = [within(lambda: next(reader), "reading", source.close)]
        while not values(got):
            got.append(within(lambda: next(reader), "reading", source.close))
    source.close()
    assert [r.headers["authorization"] for r in instruments.server.asked] == ["Bearer first", "Bearer second"]
    file.unlink()
    with pytest.raises(TransientError, match="cannot be read"):
        take(settings(instruments.url + STREAM, token=Secret(file=str(file))).open("s", clock=clock), 1)


def test_a_silent_stream_is_opened_anew(clock: VirtualClock) -> None:
    closing = threading.Event()

    def silent() -> Iterator[bytes]:
        yield b'id: 1\ndata: {"results": [{"values": [{"date": "2026-02-01T00:00:00Z", "value": 1}]}]}\n\n'
        closing.wait(20)

    server = FaultyServer(lambda request: Answer(parts=silent(), headers={"Content-Type": "text/event-stream"}))
    try:
        source = settings(server.url, idle=100 * MILLISECOND).open("s", clock=clock)
        assert values(take(source, 2)) == [1, 1], "this server gives everything anew"
        assert [r.headers.get("last-event-id") for r in server.asked][:2] == [None, "1"]
    finally:
        closing.set()
        server.close()


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        (Answer(status=204), PermanentError, "204"),
        (Answer(b"{}"), TransientError, "kind: poll"),
    ],
)
def test_what_is_no_stream(answer: Answer, error: type[Exception], message: str, clock: VirtualClock) -> None:
    server = FaultyServer(lambda request: answer)
    try:
        with pytest.raises(error, match=message):
            take(settings(server.url).open("s", clock=clock), 1)
    finally:
        server.close()


def plain(*events: bytes) -> FaultyServer:
    def answer(request: Request) -> Answer:
        return Answer(parts=iter(events), headers={"Content-Type": "text/event-stream; charset=utf-8"})

    return FaultyServer(answer)


def test_streams_without_ids_have_positions_that_never_repeat(clock: VirtualClock) -> None:
    server = plain(b"data: 1\n\n", b"data: 2\n\n")
    try:
        source = settings(server.url, readings={"t": "$"}, time=None).open("s", clock=clock)
        batches = take(source, 5)
        places = [b.position for b in batches]
        assert len(set(places)) == len(places)
        again = take(settings(server.url, readings={"t": "$"}, time=None).open("s", clock=clock), 3, places[-1])
        assert not {b.position for b in again} & set(places)
        assert all("last-event-id" not in request.headers for request in server.asked)
    finally:
        server.close()


def test_only_events_of_some_types(clock: VirtualClock) -> None:
    server = plain(b"event: reading\ndata: 1\n\nevent: alarm\ndata: oops\n\nevent: reading\ndata: 2\n\n")
    try:
        chosen = settings(server.url, readings={"t": "$"}, time=None, events=("reading",))
        source = chosen.open("s", clock=clock)
        assert values(take(source, 2)) == [1, 2]
        assert source.refused == 0
    finally:
        server.close()


def test_the_watermark_is_that_of_the_readings_until_the_stream_is_idle(
    instruments: Instruments, clock: VirtualClock
) -> None:
    begin = clock.now()
    for k in range(3):
        instruments.add(Sensor1=float(k))
    clock.sleep(600)
    source = settings(instruments.url + STREAM, lateness=30 * SECOND).open("s", clock=clock)
    position = str(Place(begin))
    marks: list[int] = []

    def work() -> None:
        seen = 0
        for batch in source.read(position):
            marks.extend(e.time for e in batch.events if isinstance(e, WatermarkMoved))
            if not batch.readings:
                return
            seen += sum(len(r.times) for r in batch.readings)
            if seen == 3:
                clock.sleep(60)

    within(work, "reading", source.close)
    assert marks[-1] == clock.now() - 30 * SECOND
    assert max(marks[:-1]) == begin + 2 * MINUTE - 30 * SECOND


def test_a_position_of_something_else_is_refused(clock: VirtualClock) -> None:
    with pytest.raises(PermanentError, match="of another kind"):
        next(settings("http://127.0.0.1:1/").open("s", clock=clock).read("17"))


def test_parameters_ask_for_the_past_only_without_an_id(instruments: Instruments, clock: VirtualClock) -> None:
    for _ in range(2):
        instruments.add()
    instruments.cut_after = 1
    chosen = settings(instruments.url + STREAM, params={"from": "{since_s}", "codes": "a"}, backfill=3600 * SECOND)
    take(chosen.open("s", clock=clock), 2)
    began = clock.now() // SECOND
    first, second = instruments.server.asked
    assert abs(int(first.query["from"]) - (began - 3600)) <= 1
    assert dict(second.query) == {"codes": "a"}
