"""What the C files give. `Refused`: the Python reference is to be asked."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

class Refused(ValueError): ...

class MysqlRows:
    """(event, start, end) -> rows, by a program of `cdc/mysql/native_rows.py`."""

    def __new__(
        cls,
        width: int,
        images: tuple[tuple[tuple[str, bool, int, int, int, int, Any, Any], ...], ...],
        masks: tuple[Callable[[Any], Any] | None, ...] | None,
    ) -> MysqlRows: ...
    def __call__(self, event: bytes, start: int, end: int, /) -> list[Any]: ...

class MysqlTexts:
    """Rows as MySQL's text protocol has them -> row tuples, by a program of `cdc/mysql/native_texts.py`."""

    def __new__(
        cls, columns: tuple[tuple[str, int, int, bool, Callable[[bytes], Any], Callable[[Any], Any] | None], ...], /
    ) -> MysqlTexts: ...
    def __call__(self, rows: Sequence[Sequence[bytes | None]], /) -> list[tuple[Any, ...]]:
        """Raises: Refused, and what a function of the program raises."""

class PostgresRows:
    """Makes row tuples of a relation of so many columns.

    A read is its place, kind and argument (`cdc.postgres.usual`), function, whether null stands in no row but of keys,
    and what stands for null and for nothing (`cdc.postgres.row_decoder.Read`).
    """

    def __new__(cls, columns: int, reads: tuple[tuple[object, ...], ...]) -> PostgresRows: ...
    def frames(
        self,
        prefix: bytes,
        slow: Callable[[bytes], Any],
        damage: tuple[type[Exception], ...],
        frames: Sequence[bytes],
        at: int,
        rows: list[Any],
        lsns: list[int],
        /,
    ) -> int:
        """As `cdc.postgres.row_decoder.Decode`; where an exception of `damage` comes up, `slow` makes the row."""
    def lines(self, lines: bytes, /) -> list[tuple[Any, ...]]:
        """Lines of COPY, each with its end. Raises: Refused, and what a reader raises."""

class Shape:
    """What `cdc/json/shape.py` or `cdc/avro/shape.py` made of a schema.

    A part is its op, which member of its struct it is (-1: none, the bytes ahead are all), the bytes ahead, the bytes
    of a null (None: it is refused), the function for rare values, how long a struct's tuples are, and parts in it.
    """

    def __new__(
        cls,
        part: tuple[str, int, bytes, bytes | None, Callable[[Any], bytes] | None, int, tuple[Any, ...]],
    ) -> Shape: ...
    def rows(self, before: bytes, values: Sequence[Any], after: bytes, /) -> list[bytes | None]:
        """The text of each value between the two; None for None."""
    def events(
        self,
        pieces: tuple[bytes, ...],
        fills: tuple[tuple[Shape, Sequence[Any], int], ...],
        count: int,
        tombstones: bool,
        /,
    ) -> list[bytes | None]:
        """Texts whose holes between the pieces are filled: shape, values, where they begin."""

def mysql_packets(waiting: bytes, /) -> tuple[list[bytes], int]: ...
def mysql_transactions(events: list[bytes], at: int, checksum: bool, /) -> list[tuple[Any, ...]]: ...
def postgres_transactions(
    frames: list[bytes], at: int, most: int, /
) -> tuple[list[bytes], list[int], list[int], list[int]]: ...
def postgres_copy(buffer: bytes | bytearray, rows: int, /) -> tuple[bytes, int, int]: ...
def mysql_split(
    columns: int, buffer: bytes, at: int, limit: int, /
) -> tuple[list[tuple[bytes | None, ...]], int, bool]: ...

class KafkaTold(Protocol):
    """Hears what befalls a producer, on the thread that called it, and makes the exceptions that it raises."""

    def exception(self, code: int, reason: str, fatal: bool, retriable: bool, abort: bool, /) -> Exception: ...
    def undelivered(self, code: int, topic: str, size: int, /) -> None: ...
    def complained(self, code: int, reason: str, fatal: bool, /) -> None: ...
    def logged(self, level: int, facility: str, client: str, line: str, /) -> None: ...

class KafkaProducer:
    """A client of librdkafka, found in a library that is loaded. As `connect_compat.log.kafka_producer` wants it.

    Raises: ImportError: it is not found there. It is not on Windows.
    """

    def __new__(cls, library: str, told: KafkaTold, settings: dict[str, str], /) -> KafkaProducer: ...
    def __len__(self) -> int: ...
    def produce(
        self,
        topic: str,
        keys: Sequence[bytes | None],
        values: Sequence[bytes | None],
        headers: Sequence[Sequence[tuple[str, bytes | None]]],
        partition: int,
        timestamps: Sequence[int] | None,
        at: int,
        /,
    ) -> tuple[int, int]:
        """Hands over the records from `at` on; the first that was not taken, and librdkafka's code of why or 0."""
    def poll(self, seconds: float, /) -> None: ...
    def flush(self, seconds: float, /) -> int: ...
    def purge(self) -> None: ...
    def close(self) -> None: ...
    def init_transactions(self, seconds: float, /) -> None: ...
    def begin_transaction(self) -> None: ...
    def commit_transaction(self, seconds: float, /) -> None: ...
    def abort_transaction(self, seconds: float, /) -> None: ...
