"""Requests that no recorded conversation holds: odd JSON, odd paths, media types, secrets, metrics, health."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connect_compat.worker import TaskId
from tests.rest_service import RestService
from tests.rest_worker import FILES


def source(tmp_path: Path, **more: Any) -> dict[str, Any]:
    return {"connector.class": FILES + "FileStreamSourceConnector", "topic": "t", "file": f"{tmp_path}/in", **more}


def settled(service: RestService) -> None:
    for _ in range(3):
        service.client.put("/connectors/nobody/topics/reset")


def test_numbers_and_booleans_in_a_config_become_strings_as_they_are_written(
    service: RestService, tmp_path: Path
) -> None:
    raw = (f'{{"connector.class": "FileStreamSource", "topic": 1.50, "file": "{tmp_path}/in", '
           '"tasks.max": 1, "errors.log.enable": true, "batch.size": 1e3}')  # fmt: skip
    refused = service.client.put(
        "/connectors/numbers/config", content=raw, headers={"Content-Type": "application/json"}
    )
    assert refused.status_code == 400 and "Invalid value 1e3 for configuration batch.size" in refused.json()["message"]
    kept = service.client.put("/connectors/numbers/config", content=raw.replace("1e3", "7"),
                              headers={"Content-Type": "application/json"})  # fmt: skip
    config = kept.json()["config"]
    assert (kept.status_code, config["topic"], config["errors.log.enable"]) == (201, "1.50", "true")
    assert (config["tasks.max"], config["batch.size"]) == ("1", "7")


@pytest.mark.parametrize("value", [{"a": 1}, ["a"]])
def test_objects_and_arrays_in_a_config_are_refused(service: RestService, tmp_path: Path, value: object) -> None:
    answer = service.client.put("/connectors/x/config", json=source(tmp_path, batch=value))
    message = answer.json()["message"]
    assert answer.status_code == 500 and message.startswith("Cannot deserialize value of type `java.lang.String` from ")
    assert message.endswith('the value of "batch" must be a string, number or boolean')


def test_a_body_meant_for_another_request_is_told(service: RestService, tmp_path: Path) -> None:
    answer = service.client.put("/connectors/x/config", json={"name": "x", "config": source(tmp_path)})
    assert answer.status_code == 500 and "settings stand in this body directly" in answer.json()["message"]
    answer = service.client.post("/connectors", json={"name": "x", **source(tmp_path)})
    assert answer.status_code == 500 and "Unrecognized field" in answer.json()["message"]


def test_a_null_in_a_config_is_refused_by_name(service: RestService, tmp_path: Path) -> None:
    answer = service.client.put("/connectors/x/config", json=source(tmp_path, file=None))
    assert answer.status_code == 400
    assert "Null value can not be supplied as the configuration value." in answer.json()["message"]


@pytest.mark.parametrize("raw", [b"\xff{}", b"nonsense", b'{"a": NaN}', b"{'a': 1}", b"[" * 100_000])
def test_what_is_no_json_is_500_and_never_a_hang(service: RestService, raw: bytes) -> None:
    answer = service.client.put("/connectors/x/config", content=raw, headers={"Content-Type": "application/json"})
    assert answer.status_code == 500 and set(answer.json()) == {"error_code", "message"}
    assert "body" in answer.json()["message"] or "NaN" in answer.json()["message"]


def test_names_may_hold_spaces_slashes_and_any_letters(service: RestService, tmp_path: Path) -> None:
    created = service.client.post("/connectors", json={"name": "a b/ü%", "config": source(tmp_path)})
    assert created.status_code == 201 and created.headers["location"].endswith("/connectors/a%20b%2F%C3%BC%25")
    path = "/connectors/a%20b%2F%C3%BC%25"
    assert service.client.get(path + "/").json()["name"] == "a b/ü%"
    assert service.client.delete(path).status_code == 204
    assert service.client.get(path).status_code == 404


def test_control_characters_in_a_name_are_refused(service: RestService, tmp_path: Path) -> None:
    answer = service.client.post("/connectors", json={"name": "a\nb", "config": source(tmp_path)})
    assert answer.status_code == 400 and "control sequences" in answer.json()["message"]


def test_a_body_without_a_content_type_is_415_and_no_body_needs_none(service: RestService) -> None:
    request = service.client.build_request("PUT", "/connectors/x/config", content=b"{}")
    assert "content-type" not in request.headers and service.client.send(request).status_code == 415
    assert service.client.put("/connectors/x/pause").status_code == 404


def test_secrets_are_in_no_answer(service: RestService, tmp_path: Path) -> None:
    config = source(tmp_path, **{"my.password": "s3cret", "url": "http://me:s3cret@es:9200"})
    answers = [
        service.client.put("/connectors/s/config", json=config),
        service.client.get("/connectors/s"),
        service.client.get("/connectors/s/config"),
        service.client.get("/connectors/s/tasks"),
        service.client.get("/connectors?expand=info&expand=status"),
        service.client.patch("/connectors/s/config", json={"tasks.max": "0"}),
        service.client.post("/connectors", json={"name": "z", "config": {"my.password": "s3cret"}}),
        service.client.put("/connector-plugins/FileStreamSource/config/validate", json={**config, "name": "s"}),
    ]
    assert all("s3cret" not in answer.text for answer in answers)
    assert answers[1].json()["config"]["my.password"] == "********"


def test_metrics_count_what_tasks_report(service: RestService, tmp_path: Path) -> None:
    service.client.put("/connectors/counted/config", json=source(tmp_path))
    settled(service)
    figures = {"counters": {"source-record-write-total": 7}, "backlog": None}
    service.worker.say(TaskId("counted", 0), "RUNNING", figures=figures)
    text = service.client.get("/metrics").text
    assert 'tailrace_source_record_write_total{connector="counted",task="0"} 7.0' in text
    assert 'tailrace_task_state{connector="counted",state="RUNNING",task="0",type="source"} 1.0' in text


def test_a_task_that_does_not_move_makes_the_worker_unhealthy(service: RestService, tmp_path: Path) -> None:
    service.client.put("/connectors/stuck/config", json=source(tmp_path))
    settled(service)
    service.worker.say(TaskId("stuck", 0), "RUNNING", healthy=False, reason="no progress for 31 s")
    answer = service.client.get("/health")
    assert answer.status_code == 500
    assert answer.json() == {"status": "unhealthy", "message": "task stuck-0: no progress for 31 s"}
    assert service.client.get("/connectors/stuck/status").json()["tasks"][0]["unhealthy"] == "no progress for 31 s"
    assert 'tailrace_task_stalled{connector="stuck",task="0"} 1.0' in service.client.get("/metrics").text
    service.worker.say(TaskId("stuck", 0), "RUNNING", healthy=True, reason=None)
    assert service.client.get("/health").status_code == 200


def test_a_level_reaches_the_task_processes(service: RestService) -> None:
    assert service.client.put("/admin/loggers/some.module", json={"level": "DEBUG"}).json() == ["some.module"]
    assert service.worker.levels["some.module"] == 10


def test_what_is_served_is_listed_for_people_and_for_programs(service: RestService) -> None:
    page = service.client.get("/docs")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "<code>PUT /connectors/{name}/config</code>" in page.text
    assert "<script" not in page.text and "<link" not in page.text
    found = service.client.get("/openapi.json").json()
    assert found["openapi"].startswith("3.1") and found["info"]["title"] == "Tailrace"
    assert set(found["paths"]["/connectors/{name}/config"]) == {"get", "put", "patch"}
    assert found["paths"]["/connectors/{name}/pause"]["put"]["description"].startswith("202: tasks stay")
