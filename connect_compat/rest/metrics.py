"""`/metrics`: states and counters of connectors and tasks, in Prometheus' text format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import APIRouter
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from starlette.responses import Response

from connect_compat.herder import Herder
from connect_compat.rest.app import TheHerder
from connect_compat.state import State

router = APIRouter()
_TASK = ["connector", "task"]


class _Figures:
    """Reads the herder when it is scraped; nothing is counted twice."""

    def __init__(self, herder: Herder) -> None:
        self._herder = herder

    def collect(self) -> Iterator[Metric]:
        yield from _states(self._herder)
        counters: dict[str, CounterMetricFamily] = {}
        stalled = GaugeMetricFamily("tailrace_task_stalled", "1 when a running task does not move.", labels=_TASK)
        waiting = GaugeMetricFamily("tailrace_task_waiting", "1 while it waits through an outage.", labels=_TASK)
        backlog = GaugeMetricFamily("tailrace_task_backlog_records", "Records a sink has not read yet.", labels=_TASK)
        restarts = CounterMetricFamily("tailrace_task_restarts", "Times its process was started again.", labels=_TASK)
        cpu = CounterMetricFamily("tailrace_task_cpu_seconds", "CPU its process has used.", labels=_TASK)
        memory = GaugeMetricFamily("tailrace_task_memory_bytes", "What its process has in memory.", labels=_TASK)
        told: dict[str, GaugeMetricFamily] = {}
        stuck = {view.id for view in self._herder.stalled()}
        for view in sorted(self._herder.tasks(), key=lambda view: view.id):
            labels = [view.id.connector, str(view.id.task)]
            for name, value in _told(view.figures):
                told.setdefault(name, GaugeMetricFamily(name, "As the source tells it.", labels=_TASK)).add_metric(
                    labels, value
                )
            for name, value in _counters(view.figures):
                family = counters.get(name)
                if family is None:
                    family = counters[name] = CounterMetricFamily(name, f"Kafka Connect's {name}.", labels=_TASK)
                family.add_metric(labels, value)
            stalled.add_metric(labels, view.id in stuck)
            waiting.add_metric(labels, view.waiting_for is not None)
            restarts.add_metric(labels, view.restarts)
            if "cpu_s" in view.figures:
                cpu.add_metric(labels, view.figures["cpu_s"])
                memory.add_metric(labels, view.figures["memory"])
            if view.figures.get("backlog") is not None:
                backlog.add_metric(labels, view.figures["backlog"])
        yield from (*counters.values(), *told.values(), stalled, waiting, backlog, restarts, cpu, memory)


def _counters(figures: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """`source-record-write-total` as `tailrace_source_record_write`; the format adds `_total`."""
    for name, value in sorted((figures.get("counters") or {}).items()):
        yield "tailrace_" + name.replace("-", "_").removesuffix("_total"), value


def _told(figures: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Numbers of a source's own report: `snapshot.percent` as `tailrace_snapshot_percent`."""
    for name, value in sorted((figures.get("report") or {}).items()):
        if isinstance(value, int | float):
            yield "tailrace_" + name.replace(".", "_"), value


def _states(herder: Herder) -> Iterator[Metric]:
    connectors = GaugeMetricFamily(
        "tailrace_connector_state", "1 for the state the connector is in.", labels=["connector", "type", "state"]
    )
    tasks = GaugeMetricFamily(
        "tailrace_task_state", "1 for the state the task is in.", labels=["connector", "type", "task", "state"]
    )
    for name, kind, task, state in herder.states():
        for each in State:
            here = 1 if each.value == state else 0
            if task is None:
                connectors.add_metric([name, kind, each.value], here)
            else:
                tasks.add_metric([name, kind, str(task), each.value], here)
    yield connectors
    yield tasks


@router.get("/metrics")
def metrics(herder: TheHerder) -> Response:
    """States and counters for Prometheus."""
    registry = CollectorRegistry()
    registry.register(_Figures(herder))
    return Response(generate_latest(registry), media_type="text/plain; version=0.0.4; charset=utf-8")
