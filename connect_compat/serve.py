"""A worker config to a running worker: sockets, herder, REST; until SIGTERM or SIGINT, then a graceful stop."""

from __future__ import annotations

import errno
import gc
import signal
import socket
from collections.abc import Iterable, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
import structlog

from cdc.errors import ConfigError, Problem, RequestError
from connect_compat import properties
from connect_compat.log import open_log
from connect_compat.log.cleaner import cleaned
from connect_compat.worker_config import Listener, WorkerConfig

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connect_compat.herder import Herder

logger = structlog.get_logger(__name__)


def bind(listeners: Sequence[Listener]) -> list[socket.socket]:
    """A listening socket each. Raises: ConfigError naming the setting when an address cannot be had."""
    sockets: list[socket.socket] = []
    try:
        for listener in listeners:
            sockets.append(_bound(listener))
    except ConfigError:
        for each in sockets:
            each.close()
        raise
    return sockets


def _bound(listener: Listener) -> socket.socket:
    host = listener.host or "0.0.0.0"
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol by name: asyncio turns Nagle's delay off only for sockets that say they are TCP.
    found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host, listener.port))
        found.listen(1024)
    except OSError as error:
        found.close()
        raise ConfigError([Problem(listener.setting, _why(listener, host, error))]) from None
    found.set_inheritable(False)
    return found


def _why(listener: Listener, host: str, error: OSError) -> str:
    where, setting = f"{host}:{listener.port}", listener.setting
    if error.errno == errno.EADDRINUSE:
        other = "--port" if setting == "rest.port" else setting
        return (f"{where} is in use by another process, so REST cannot be served there: stop that process, or set "
                f"{setting} (or {other}) to a free port")  # fmt: skip
    return f"REST cannot be served at {where}: {error.strerror}; change {setting}"


def connector_file(path: Path) -> tuple[str, dict[str, str]]:
    """Name and config in a connector file: properties, or JSON with or without the name and config around it.

    Raises: ConfigError naming the file.
    """
    if path.suffix.lower() != ".json":
        config = properties.load(path)
    else:
        try:
            loaded = orjson.loads(path.read_bytes())
        except (OSError, orjson.JSONDecodeError) as error:
            raise ConfigError([Problem(str(path), f"cannot read the connector file {path}: {error}")]) from None
        config = _config_of(path, loaded)
    name = config.get("name", "").strip()
    if not name:
        raise ConfigError([Problem("name", f"{path} names no connector: add a line name=…")])
    return name, config


def _config_of(path: Path, loaded: object) -> dict[str, str]:
    inner = loaded.get("config") if isinstance(loaded, dict) else None
    found = {"name": loaded.get("name"), **inner} if isinstance(loaded, dict) and isinstance(inner, dict) else loaded
    if not isinstance(found, dict) or any(isinstance(value, dict | list) for value in found.values()):
        raise ConfigError([Problem(str(path), f'{path} holds no connector: write {{"name": …, "config": {{…}}}}')])
    return {
        key: ("true" if value else "false") if isinstance(value, bool) else str(value)
        for key, value in found.items()
        if value is not None
    }


def make_herder(config: WorkerConfig, port: int) -> Herder:
    from connect_compat.herder import Herder, Settings
    from connect_compat.plugins import Plugins
    from connect_compat.worker import Limits, Worker

    keys = config.keys
    settings = Settings(
        worker_id=config.worker_id(port),
        raw=config.raw,
        log=config.log,
        keeps_configs=config.keeps_configs,
        mask_secrets=keys.mask_secrets,
        track_topics=keys.topic_tracking,
        reset_topics=keys.topic_reset,
    )
    limits = Limits(graceful_s=keys.graceful_ms / 1000)
    return Herder(settings, Plugins(), open_log, lambda status, topics: Worker(status, topics, limits=limits))


@contextmanager
def running(config: WorkerConfig) -> Iterator[tuple[Herder, list[socket.socket]]]:
    """A started herder and the sockets REST is to be served on; all is stopped at the end.

    Raises: ConfigError: an address is taken, a config provider is wrong.
    """
    sockets = bind(config.listeners)
    try:
        herder = make_herder(config, sockets[0].getsockname()[1])
        herder.start()
        try:
            with cleaned(lambda: open_log(config.log)) if config.log.path is not None else nullcontext():
                yield herder, sockets
        finally:
            herder.stop()
    finally:
        for each in sockets:
            each.close()


def serve(config: WorkerConfig, connectors: Iterable[tuple[str, Mapping[str, str]]] = ()) -> None:
    """Serves until told to stop. `connectors`: started first, as standalone mode does.

    Raises: ConfigError: as `running`, or a connector that is refused.
    """
    import uvicorn

    from connect_compat.rest.app import application

    with running(config) as (herder, sockets):
        for name, given in connectors:
            try:
                herder.put_config(name, dict(given))
            except RequestError as error:
                raise ConfigError([Problem(name, f"connector {name} is refused: {error}")]) from None
        keys = config.keys
        app = application(
            herder,
            admin=keys.admin_listeners is None or bool(keys.admin_listeners),
            origins=keys.allow_origin,
            methods=keys.allow_methods,
        )
        shown = ", ".join("http://{}:{}".format(*each.getsockname()[:2]) for each in sockets)
        where = config.log.path or config.log.client.get("bootstrap.servers")
        logger.info("worker started", mode=config.mode.value, rest=shown, log=where)
        gc.collect()
        gc.freeze()
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off",
                                               timeout_graceful_shutdown=5))  # fmt: skip
        # uvicorn puts these back when it has stopped, and raises the signal again: it must not end us before the tasks.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: setattr(server, "should_exit", True))
        server.run(sockets=sockets)
        logger.info("worker stopping")
