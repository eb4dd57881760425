"""Connection and reader together: a server's WAL from a position on, as Polls."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from cdc.postgres.reader import Reader
from cdc.postgres.reader_options import ReaderOptions
from cdc.postgres.replication import Replication
from cdc.record import Poll

_WAIT_S: Final = 0.5


def stream(
    replication: Replication, reader: Reader, options: ReaderOptions, durable: Callable[[], int]
) -> Iterator[Poll]:
    """Polls until a blocking snapshot is asked for. `durable`: up to where records stand in the log for good.

    Raises: OriginInPart: to be read again without streaming of transactions in progress, from the reader's position;
        SourceUnavailable, SourceError, DecodeError, ConversionError.
    """
    try:
        while not reader.stops:
            frames, server_lsn, silent = replication.read(options.max_records, _WAIT_S, behind=reader.behind)
            for poll in reader.polls(frames, idle=silent, passed=server_lsn):
                yield poll
                # Where a chunk waits for the WAL, the server is asked at once how far it is.
                replication.report(durable() if options.reports else 0, 0 if reader.waits else options.status_s)
            yield from reader.watched(lambda silent=silent: not silent or replication.has_more())  # type: ignore[misc]
    finally:
        reader.close()
