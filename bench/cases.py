"""The cases of the bench by name: what each moves, who is compared, and about how long it takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Final, Protocol

from bench.backlog import SHAPES, UPDATED_ROWS, inserts, updates
from bench.databases import Database, MySql
from bench.drain import Drain, Snapshot
from bench.elasticsearch import ElasticsearchCase
from bench.jdbc_sink import JdbcSinkCase
from bench.latency import LatencyCase
from bench.limits import ProduceBatch, RawBinlog, RawWal, queries
from bench.place import Place, Size
from bench.rounds import Run, Side, rounds
from bench.s3 import JSON_GZIP, PARQUET_ZSTD, S3Case
from bench.stages import StagesCase
from bench.start import StartCase

BOTH: Final = ("tailrace", "tuned")
WITH_UNTUNED: Final = ("tailrace", "tuned", "untuned")
ALL: Final = ("tailrace", "python", "tuned", "untuned")
_A_SECOND: Final = {"tailrace": 120_000, "python": 50_000, "tuned": 35_000, "untuned": 22_000}
"""Events, for the estimate alone; beside them each measurement starts and stops a connector."""
_TURN_S: Final = 3.5
_JSON: Final = "org.apache.kafka.connect.json.JsonConverter"
WITH_SCHEMAS: Final = {"key.converter": _JSON, "key.converter.schemas.enable": "true",
                       "value.converter": _JSON, "value.converter.schemas.enable": "true"}  # fmt: skip


def _avro(registry: str) -> dict[str, str]:
    """Names of topics hold what Avro's names may not."""
    converter = {"": "io.confluent.connect.avro.AvroConverter", ".schema.registry.url": registry}
    both = {f"{part}.converter{key}": value for part in ("key", "value") for key, value in converter.items()}
    return both | {"schema.name.adjustment.mode": "avro"}


class Case(Protocol):
    """One comparison."""

    @property
    def about(self) -> str: ...

    def rows(self, size: Size) -> int:
        """That one measurement moves."""

    def seconds(self, size: Size) -> float:
        """A guess."""

    def runs(self, place: Place, size: Size) -> Iterable[Run]: ...


@dataclass(frozen=True, kw_only=True)
class DrainCase:
    """A backlog in the log. `share`: of the rows asked for; `weight`: how much more work one is than others.

    `limits`: raw bytes and `produce_batch` take turns too.
    """

    about: str
    source: str
    per_transaction: int = 1000
    shape: str = "orders"
    share: float = 1.0
    weight: float = 1.0
    sides: Sequence[str] = WITH_UNTUNED
    settings: Mapping[str, str] = field(default_factory=dict)
    updated: bool = False
    avro: bool = False
    limits: bool = False

    def rows(self, size: Size) -> int:
        return max(int(size.rows * self.share) // 1000, 1) * 1000

    def seconds(self, size: Size) -> float:
        rows = self.rows(size)
        return 45 + (size.runs + 1) * sum(
            _TURN_S + rows / _A_SECOND[side] * self.weight for side in size.chosen(self.sides)
        )

    def runs(self, place: Place, size: Size) -> Iterator[Run]:
        rows, database = self.rows(size), place.database(self.source, self.shape)
        if self.updated:
            database.write(inserts(database.table, SHAPES[self.shape], UPDATED_ROWS, 1000))
        settings = _avro(place.registry()) if self.avro else self.settings
        sides: list[Side] = []
        for worker in place.workers(size.chosen(self.sides)):
            drain = Drain(worker, place.broker, database, rows, settings)
            sides.append(place.stack.enter_context(closing(drain)))
        if self.limits:
            raw = RawBinlog(database, rows) if isinstance(database, MySql) else RawWal(database, rows)
            made = f"{place.tag}-tailrace.{place.tag}.orders"
            limit = ProduceBatch(place.broker, made, f"{place.tag}-produce-batch", rows)
            sides += [place.stack.enter_context(closing(raw)), limit]
        database.write(self._backlog(database, rows))
        yield from rounds(sides, size.runs)

    def _backlog(self, database: Database, rows: int) -> Iterator[str]:
        if self.updated:
            return updates(database.table, rows, self.per_transaction)
        return inserts(database.table, SHAPES[self.shape], rows, self.per_transaction)


@dataclass(frozen=True, kw_only=True)
class SnapshotCase:
    """The initial read of a table, beside a bare cursor and COPY."""

    about: str
    source: str
    sides: Sequence[str] = ALL

    def rows(self, size: Size) -> int:
        return size.rows

    def seconds(self, size: Size) -> float:
        return 45 + (size.runs + 1) * sum(_TURN_S + size.rows / _A_SECOND[side] for side in size.chosen(self.sides))

    def runs(self, place: Place, size: Size) -> Iterator[Run]:
        database = place.database(self.source)
        database.write(inserts(database.table, SHAPES["orders"], size.rows, 1000))
        sides: list[Side] = [
            Snapshot(worker, place.broker, database, size.rows) for worker in place.workers(size.chosen(self.sides))
        ]
        yield from rounds([*sides, *queries(database, size.rows)], size.runs)


def _of(source: str, name: str) -> dict[str, Case]:
    """The cases of one database."""

    def drain(about: str, **more: object) -> DrainCase:
        return DrainCase(about=f"{name}, {about}", source=source, **more)  # type: ignore[arg-type]

    return {
        f"{source}-1000": drain("transactions of 1,000 rows", sides=ALL, limits=True),
        f"{source}-1": drain("transactions of one row", sides=ALL, per_transaction=1, share=0.5, weight=2.0),
        f"{source}-updates": drain("updates, transactions of 1,000 rows", updated=True),
        f"{source}-payload": drain("random payloads of 1.2 KB", shape="payload", share=0.5),
        f"{source}-wide": drain("300 columns", shape="wide", per_transaction=100, share=0.05, weight=20.0),
        f"{source}-json-schemas": drain("JSON with schemas", settings=WITH_SCHEMAS, share=0.5, weight=2.0),
        f"{source}-avro": drain("Avro", avro=True, sides=("tailrace", "python")),
        f"{source}-memory": drain("ten times the backlog", share=10.0, sides=BOTH),
        f"{source}-latency": LatencyCase(about=f"{name}, latency from commit to topic", source=source),
        f"{source}-stages": StagesCase(about=f"{name}, CPU time by stage", source=source),
        f"{source}-snapshot": SnapshotCase(about=f"{name}, initial snapshot", source=source),
    }  # fmt: skip


CASES: Final[Mapping[str, Case]] = {
    **_of("mysql", "MySQL"),
    **_of("postgres", "PostgreSQL"),
    "start": StartCase(),
    "jdbc-sink-mysql": JdbcSinkCase(about="JDBC sink into MySQL", source="mysql"),
    "jdbc-sink-postgres": JdbcSinkCase(about="JDBC sink into PostgreSQL", source="postgres"),
    "s3-json": S3Case(about="S3 sink, JSON and gzip", limit="zlib", schemas=False, settings=JSON_GZIP),
    "s3-parquet": S3Case(about="S3 sink, Parquet and zstd", limit="pyarrow", schemas=True, settings=PARQUET_ZSTD),
    "elasticsearch": ElasticsearchCase(),
}
MAIN: Final = [
    "mysql-1000", "postgres-1000", "mysql-1", "mysql-snapshot", "postgres-snapshot",
    "mysql-latency", "postgres-latency", "postgres-1",
]  # fmt: skip
"""What is run when no case is named: what the must-holds need comes first."""
