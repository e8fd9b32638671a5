"""Prediction: samples under any of their names, verdicts that are the log's own, and nothing that is made up."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from tests.apps.server.world import World
from tests.apps.service.worlds import watch
from watchband.adapters.sources.push.settings import PushSettings
from watchband.apps.server.fields import FieldSettings
from watchband.apps.server.samples import Samples
from watchband.apps.server.settings import ServerSettings, TokenSettings
from watchband.core.errors import ConfigError
from watchband.core.relabel import Relabel
from watchband.core.secret import Secret
from watchband.core.series import SeriesKey
from watchband.pipeline.raw import Raw
from watchband.testing.streams import MINUTE, START

S = START // 1_000_000_000
CPU, MEMORY, PODS = (f"cluster_{name}_ratio" for name in ("cpu_request", "mem_request", "pod"))


@pytest.fixture
def world() -> Iterator[World]:
    with World() as found:
        yield found


@pytest.fixture(scope="module")
def quiet() -> Iterator[World]:
    """One for all that change nothing."""
    with World() as found:
        yield found


def sample(minute: int, cpu: float | None = None, cluster: str = "a", **more: Any) -> dict[str, Any]:
    wave = 0.6 + 0.01 * (minute % 3)
    found = {
        "cpu": wave if cpu is None else cpu,
        "memory": 0.65 + 0.01 * (minute % 2),
        "pods": 0.19 + 0.001 * (minute % 4),
    }
    return found | {"cluster": cluster, "timestamp": S + 60 * minute} | more


def learn(world: World, minutes: int = 60, cluster: str = "a") -> None:
    samples = [sample(minute, cluster=cluster) for minute in range(minutes)]
    answer = world.client.post("/batch_predict", json={"samples": samples})
    assert answer.json()["summary"]["valid"] == minutes, answer.text


def field(document: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in document["fields"] if one["field"] == name)


def test_a_strange_sample_is_minus_one_with_a_score_and_a_reason(world: World) -> None:
    learn(world)
    usual = world.client.post("/predict", json=sample(60)).json()
    assert (usual["prediction"], usual["label"], usual["severity"]) == (1, "normal", None)
    assert usual["anomaly_score"] < 1
    strange = world.client.post("/predict", json=sample(61, 0.99)).json()
    assert (strange["prediction"], strange["label"], strange["severity"]) == (-1, "anomaly", "critical")
    first = strange["fields"][0]
    assert (first["field"], first["series"]) == ("cpu", f'{CPU}{{cluster="a"}}'), "the strangest field comes first"
    assert first["anomaly_score"] == strange["anomaly_score"] > 1
    assert first["lower"] <= 0.61 <= first["upper"] < 0.99
    assert any("0.99" in sentence for sentence in first["reasons"])
    assert [one["prediction"] for one in strange["fields"]] == [-1, 1, 1]


def test_scores_and_confidence_are_those_of_the_fold_itself(world: World) -> None:
    readings = [0.6 + 0.01 * (minute % 3) for minute in range(60)] + [0.63, 0.9]
    given = [world.client.post("/predict", json=sample(m, cpu)).json() for m, cpu in enumerate(readings)]
    alone = watch().watch("all")
    state = alone.start([SeriesKey(CPU, {"cluster": "a"})])
    said = alone.step(state, Raw.of(START + np.arange(62) * MINUTE, np.array(readings)))
    for document, score, confidence in zip(given, said.anomaly_score, said.confidence, strict=True):
        mine = field(document, "cpu")
        assert mine["recorded"] is True
        assert mine["anomaly_score"] == (None if np.isnan(score) else pytest.approx(score, rel=1e-6))
        assert mine["confidence"] == pytest.approx(confidence, rel=1e-6)


def test_a_series_that_warms_up_has_no_verdict_and_says_until_when(world: World) -> None:
    answer = world.client.post("/predict", json=sample(0))
    document = answer.json()
    assert (answer.status_code, document["prediction"], document["label"]) == (200, None, "no opinion")
    assert document["anomaly_score"] is None
    assert document["kept"] is True
    first = field(document, "cpu")["points_until_opinion"]
    second = field(world.client.post("/predict", json=sample(1)).json(), "cpu")["points_until_opinion"]
    assert 0 < second == first - 1


def test_every_cluster_has_a_history_of_its_own(world: World) -> None:
    learn(world, cluster="a")
    assert world.client.post("/predict", json=sample(60, 0.99, cluster="b")).json()["prediction"] is None
    assert world.client.post("/predict", json=sample(60, 0.99, cluster="a")).json()["prediction"] == -1


def test_a_predicted_point_is_a_point_of_the_log(world: World) -> None:
    learn(world, 2)
    assert world.kept()[f'{CPU}{{cluster="a"}}'] == [0.6, 0.61]
    status = world.client.get("/api/v1/sources").json()["data"]
    assert next(one for one in status if one["name"] == "push")["points"] == 6


def test_what_only_looks_changes_nothing(world: World) -> None:
    learn(world)
    before = world.service.look(
        lambda: {n: lane.state.to_bytes() for n, lane in world.service.engine.shard.lanes.items()}
    )  # type: ignore[union-attr]
    looks = [world.client.post("/predict?keep=false", json=sample(61, 0.99)).json() for _ in range(2)]
    assert looks[0] == looks[1]
    assert (looks[0]["prediction"], looks[0]["kept"]) == (-1, False)
    assert field(looks[0], "cpu")["recorded"] is False
    assert (
        world.service.look(lambda: {n: lane.state.to_bytes() for n, lane in world.service.engine.shard.lanes.items()})
        == before
    )  # type: ignore[union-attr]
    kept = world.client.post("/predict", json=sample(61, 0.99)).json()
    assert field(kept, "cpu")["anomaly_score"] == field(looks[0], "cpu")["anomaly_score"]


def test_a_repeat_is_answered_as_the_first_time_and_kept_once(world: World) -> None:
    learn(world)
    first = world.client.post("/predict", json=sample(60, 0.99)).json()
    again = world.client.post("/predict", json=sample(60, 0.99)).json()
    assert field(again, "cpu")["repeat"] is True
    assert [again[k] for k in ("prediction", "anomaly_score", "kept")] == [
        pytest.approx(first[k], rel=1e-6) for k in ("prediction", "anomaly_score", "kept")
    ]
    assert len(world.kept()[f'{CPU}{{cluster="a"}}']) == 61


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"{", 400, "not JSON"),
        (b"[" * 100_000, 400, "nested too deeply"),
        (b"[]", 400, "mapping"),
        (b'{"cpu": 0.5}', 400, "Missing: " + MEMORY),
        (b'{"cpu": 0.5, "mem": 0.5, "pods": 0.5, "disk": 1}', 400, "Unknown: 'disk'"),
        (b'{"cpu": 0.5, "cpu_ratio": 0.5, "mem": 0.5, "pods": 0.5}', 400, "the same field"),
        (b'{"cpu": "0.5", "mem": 0.5, "pods": 0.5}', 400, "expected a number"),
        (b'{"cpu": true, "mem": 0.5, "pods": 0.5}', 400, "expected a number"),
        (b'{"cpu": null, "mem": 0.5, "pods": 0.5}', 400, "expected a number"),
        (b'{"cpu": 0.5, "mem": 0.5, "pods": 0.5, "cluster": 7}', 400, "'cluster'"),
        (b'{"cpu": 0.5, "mem": 0.5, "pods": 0.5, "timestamp": "noon"}', 400, "'timestamp'"),
        (b'{"cpu": 0.5, "mem": 0.5, "pods": 0.5, "labels": {"a": 1}}', 400, "labels"),
        (b'{"series": "cpu{", "value": 1}', 400, "'series'"),
        (b'{"series": "cpu", "value": 1, "cluster": "a"}', 400, "'value'"),
        (b'{"cpu": NaN, "mem": 0.5, "pods": 0.5}', 422, "finite"),
        (b'{"cpu": 1e999, "mem": 0.5, "pods": 0.5}', 422, "finite"),
        (b'{"cpu": 61, "mem": 0.5, "pods": 0.5}', 422, "percent"),
        (b'{"cpu": -0.1, "mem": 0.5, "pods": 0.5}', 422, "from 0 to 1"),
        (b'{"cpu": 0.5, "mem": 0.5, "pods": 0.5, "timestamp": "2099-01-01T00:00:00Z"}', 422, "ahead"),
    ],
)
def test_what_cannot_be_read_or_judged_is_said_and_not_kept(quiet: World, body: bytes, status: int, said: str) -> None:
    answer = quiet.client.post("/predict", content=body)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert said in answer.json()["detail"]
    assert quiet.kept() == {}


def test_what_comes_too_late_is_refused_and_not_kept(world: World) -> None:
    learn(world)
    answer = world.client.post("/predict", json=sample(10, timestamp=S + 630))
    assert answer.status_code == 422
    assert "too late" in answer.json()["detail"]
    assert len(world.kept()[f'{CPU}{{cluster="a"}}']) == 60


def test_a_batch_has_a_summary_and_one_that_is_refused_stops_no_other(world: World) -> None:
    samples = [sample(minute) for minute in range(60)]
    samples += [{"cpu": 1}, sample(60, 7.0), sample(61, 0.99), sample(62, 0.61)]
    document = world.client.post("/batch_predict", json={"samples": samples}).json()
    assert document["predictions"][-4:] == [None, None, -1, 1]
    assert [one["error"]["status"] for one in document["results"][60:62]] == [400, 422]
    summary = document["summary"]
    assert {k: summary[k] for k in ("total", "valid", "anomalies")} == {"total": 64, "valid": 62, "anomalies": 1}
    assert summary["normal"] + summary["no_opinion"] == 61
    assert summary["anomaly_rate"] == pytest.approx(1 / (1 + summary["normal"]), rel=1e-6)


def test_a_batch_may_come_in_any_order_and_is_judged_by_time(world: World) -> None:
    samples = [sample(minute, 0.99 if minute == 50 else None) for minute in range(60)]
    document = world.client.post("/batch_predict", json={"samples": samples[::-1]}).json()
    assert document["predictions"][::-1].index(-1) == 50


def test_two_samples_of_now_would_be_one(world: World) -> None:
    one = {k: v for k, v in sample(0).items() if k != "timestamp"}
    assert world.client.post("/batch_predict", json={"samples": [one, one]}).status_code == 422
    assert world.client.post("/batch_predict", json={"samples": [one, one | {"cluster": "b"}]}).status_code == 200


@pytest.mark.parametrize(
    "body", [{}, {"samples": []}, {"samples": [{}] * 1001}, {"samples": {}}, {"samples": [1], "x": 1}]
)
def test_bodies_that_are_no_batch(quiet: World, body: dict[str, Any]) -> None:
    assert quiet.client.post("/batch_predict", json=body).status_code == 400


def test_any_series_may_be_asked_for_by_its_name(world: World) -> None:
    samples = [{"series": 'cpu{host="a"}', "value": 50 + m % 5, "timestamp": S + 60 * m} for m in range(60)]
    assert world.client.post("/batch_predict", json={"samples": samples}).json()["predictions"][-1] == 1
    found = world.client.post("/predict", json={"series": 'cpu{host="a"}', "value": 500, "timestamp": S + 3600}).json()
    assert (found["prediction"], found["fields"][0]["field"]) == (-1, "value")


def test_aliases_and_limits_are_configured() -> None:
    fields = {"disk_used": FieldSettings(aliases=("disk",), high=100.0)}
    with World(server=ServerSettings(listen="127.0.0.1:0", predict=fields)) as world:
        answer = world.client.post("/predict", json={"disk": 71.5})
        assert answer.json()["fields"][0]["series"] == "disk_used"
        assert world.client.post("/predict", json={"disk": 101}).status_code == 422
        assert world.client.post("/predict", json={"cpu": 0.5}).status_code == 400
        assert world.client.get("/model_info").json()["fields"] == {"disk_used": ["disk"]}


def test_two_fields_may_not_share_a_name() -> None:
    with pytest.raises(ConfigError, match="'used'"):
        Samples({"a": FieldSettings(aliases=("used",)), "b": FieldSettings(aliases=("used",))})
    with pytest.raises(ConfigError, match="'cluster'"):
        Samples({"a": FieldSettings(aliases=("cluster",))})


def test_series_are_judged_under_the_name_that_relabelling_gives_them() -> None:
    with World(relabel=[Relabel(target_label="env", replacement="prod")]) as world:
        learn(world)
        found = world.client.post("/predict", json=sample(60, 0.99)).json()
        assert found["prediction"] == -1
        assert 'env="prod"' in found["fields"][0]["series"]
        assert field(found, "cpu")["recorded"] is True


def test_a_source_that_waits_for_late_points_is_answered_at_once_and_says_that_it_may_change() -> None:
    with World(sources={"push": PushSettings(lateness=10 * MINUTE, history=None)}) as world:
        learn(world)
        found = world.client.post("/predict", json=sample(60, 0.99)).json()
        assert (found["prediction"], found["kept"]) == (-1, True), "what waits is history too"
        assert field(found, "cpu")["recorded"] is False
        assert world.service.engine.shard is not None
        assert world.service.engine.shard.lanes["all"].state.upstream.held == 183


def test_without_a_model_it_is_503() -> None:
    with World(starts=False) as world:
        assert world.client.post("/predict", json=sample(0)).status_code == 503
        health = world.client.get("/health")
        assert (health.status_code, health.json()["model_loaded"]) == (503, False)
        assert health.json()["reasons"]
        assert world.client.get("/model_info").status_code == 503
    with World(watches={"others": watch(match=("nothing",))}) as world:
        answer = world.client.post("/predict", json=sample(0))
        assert answer.status_code == 503
        assert "no watch takes it" in answer.json()["detail"]
        assert world.kept() == {}
        batch = world.client.post("/batch_predict", json={"samples": [sample(0)]}).json()
        assert batch["results"][0]["error"]["status"] == 503
    with World(sources={}) as world:
        assert "push" in world.client.post("/predict", json=sample(0)).json()["detail"]
        assert world.client.post("/predict?keep=false", json=sample(0)).status_code == 200


def test_health_and_model_are_measured(world: World) -> None:
    learn(world)
    world.client.post("/predict", json=sample(60, 0.99))
    assert world.client.get("/health").json() | {"timestamp": ""} == {
        "status": "healthy", "model_loaded": True, "reasons": [], "version": "0.1.0", "timestamp": "",
    }  # fmt: skip
    (found,) = world.client.get("/model_info").json()["watches"]
    assert found["measured"]["points"] == 183
    assert found["measured"]["anomalous"] == 1
    assert found["parameters"]["window"] == 20
    assert found["series"] == 3


def test_to_keep_needs_leave() -> None:
    server = ServerSettings(listen="127.0.0.1:0", tokens={"t": TokenSettings(token=Secret("a" * 20))})
    with World(server=server) as world:
        assert world.client.post("/predict", json=sample(0)).status_code == 401
        allowed = {"Authorization": f"Bearer {'a' * 20}"}
        assert world.client.post("/predict", json=sample(0), headers=allowed).status_code == 200


def test_many_at_a_time_each_get_their_own_verdict(world: World) -> None:
    """Eight senders, a cluster each and one that all share: every verdict is the log's, each point is there once."""
    for cluster in [f"c{n}" for n in range(8)]:
        learn(world, 40, cluster)
    learn(world, 40, "shared")

    def send(n: int) -> list[dict[str, Any]]:
        found = []
        for minute in range(40, 60):
            strange = 0.99 if minute == 45 + n else None
            body = {"samples": [sample(minute, strange, f"c{n}"), sample(minute * 100 + n, None, "shared")]}
            found.append(world.client.post("/batch_predict", json=body).json()["results"])
        return found

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, range(8)))
    for n, results in enumerate(answers):
        assert [r[0]["prediction"] for r in results].index(-1) == 5 + n
        assert all(field(r[0], "cpu")["recorded"] for r in results)
        # Whoever is overtaken on a series that all share is told so, and nobody else's verdict is given to it.
        assert all("error" in r[1] or field(r[1], "cpu")["value"] == 0.6 + 0.01 * ((m * 100 + n) % 3)
                   for m, r in zip(range(40, 60), results, strict=True))  # fmt: skip
    taken = sum("error" not in r[1] for results in answers for r in results)
    assert len(world.kept()[f'{CPU}{{cluster="shared"}}']) == 40 + taken
    assert all(len(world.kept()[f'{CPU}{{cluster="c{n}"}}']) == 60 for n in range(8))
    assert world.service.listeners == []
