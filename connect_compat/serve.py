"""A worker config to a running worker: sockets, herder, REST; until SIGTERM or SIGINT, then a graceful stop."""

from __future__ import annotations

import errno
import gc
import socket
import ssl
import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
import structlog

from cdc.errors import ConfigError, Problem, RequestError
from cdc.native import hot
from connect_compat import properties
from connect_compat.listener_tls import peer_context, server_context
from connect_compat.log import LogSettings, open_log
from connect_compat.log.cleaner import cleaned
from connect_compat.worker_config import Listener, Mode, WorkerConfig

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future

    from connect_compat.herder import Herder
    from connect_compat.rest.access import Callers
    from connect_compat.rest.server import Endpoint

logger = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Running:
    """A worker's parts.

    Attributes:
        log: done when the log has been opened and what is stored was started, or with the error.
        tls: the context of https addresses, by the setting they come from.
    """

    herder: Herder
    log: Future[None]
    sockets: Mapping[Listener, socket.socket]
    tls: Mapping[str, ssl.SSLContext]


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
    from connect_compat.cluster import Membership
    from connect_compat.herder import Herder, Settings
    from connect_compat.plugins import Plugins
    from connect_compat.worker import Limits, Worker

    keys = config.keys
    member = Membership(config.worker_id(port), config.url(port), keys.session_ms / 1000, keys.heartbeat_ms / 1000)
    settings = Settings(
        worker_id=config.worker_id(port),
        raw=config.raw,
        log=config.log,
        keeps_configs=config.keeps_configs,
        mask_secrets=keys.mask_secrets,
        track_topics=keys.topic_tracking,
        reset_topics=keys.topic_reset,
        membership=member if config.mode is Mode.DISTRIBUTED else None,
        graceful_s=keys.graceful_ms / 1000,
    )
    lease_s = keys.session_ms / 1000 * 0.6 if config.mode is Mode.DISTRIBUTED else None
    memory = None if keys.task_memory is None else keys.task_memory << 20
    limits = Limits(
        graceful_s=keys.graceful_ms / 1000, first_restart_s=keys.first_restart_ms / 1000,
        longest_restart_s=keys.longest_restart_ms / 1000, still_s=keys.stall_ms / 1000, lease_s=lease_s, memory=memory,
    )  # fmt: skip
    return Herder(settings, Plugins(), open_log, lambda status, topics: Worker(status, topics, limits=limits))


@contextmanager
def running(config: WorkerConfig) -> Iterator[Running]:
    """A herder that is starting and the sockets REST is to be served on; all is stopped at the end.

    Raises: LogError: another worker uses the data folder; ConfigError: an address is taken, a certificate or a config
        provider is wrong.
    """
    with _locked(config.log), ExitStack() as opened:
        listeners = (*config.listeners, *config.admin_listeners)
        tls = {each.setting: server_context(config.raw, each.setting) for each in listeners if each.https}
        sockets = [opened.enter_context(each) for each in bind(listeners)]
        herder = make_herder(config, sockets[0].getsockname()[1])
        opened.callback(herder.stop)
        started = herder.start()
        if config.log.path is not None:
            opened.enter_context(cleaned(lambda: open_log(config.log)))
        yield Running(herder, started, dict(zip(listeners, sockets, strict=True)), tls)


@contextmanager
def _locked(log: LogSettings) -> Iterator[None]:
    """Raises: LogError: another worker uses the data folder; its message names the process."""
    if log.path is None:
        yield
        return
    from connect_compat.log.embedded_file import FolderLock

    lock = FolderLock(log.path)
    try:
        yield
    finally:
        lock.release()


def _endpoints(config: WorkerConfig, running: Running) -> list[Endpoint]:
    """One for each application and kind of connection."""
    from connect_compat.rest.app import Serving, application
    from connect_compat.rest.server import Endpoint

    keys, first = config.keys, config.listeners[0]
    main = Serving(
        admin=keys.admin_listeners is None, callers=_callers(config), most=keys.request_bytes,
        origins=keys.allow_origin, methods=keys.allow_methods,
        peers=peer_context(config.raw, "listeners") if config.mode is Mode.DISTRIBUTED and first.https else None,
    )  # fmt: skip
    admin = replace(main, connectors=False, admin=True)
    found = []
    for serving, listeners in ((main, config.listeners), (admin, config.admin_listeners)):
        for https in (False, True):
            sockets = [running.sockets[each] for each in listeners if each.https is https]
            if sockets:
                tls = running.tls[listeners[0].setting] if https else None
                found.append(Endpoint(application(running.herder, serving), sockets, tls))
    return found


def _callers(config: WorkerConfig) -> Callers | None:
    from connect_compat.rest.access import Callers

    if config.users is None and config.tokens is None:
        return None
    return Callers(config.users or {}, config.tokens or {}, frozenset(config.keys.readers))


def serve(config: WorkerConfig, connectors: Iterable[tuple[str, Mapping[str, str]]] = ()) -> None:
    """Serves until told to stop. `connectors`: started as soon as the log answers, as standalone mode does.

    Raises: ConfigError, LogError: as `running`; a connector is refused; the log cannot be used.
    """
    from connect_compat.rest.server import Servers

    with running(config) as started:
        servers = Servers(_endpoints(config, started))
        failures: list[BaseException] = []

        def begin() -> None:
            try:
                _create(started, connectors)
            except BaseException as error:
                failures.append(error)
                servers.stop()

        shown = ", ".join(_url(listener, each) for listener, each in started.sockets.items())
        where = config.log.path or config.log.client.get("bootstrap.servers")
        loops = "python" if hot is None else "compiled"
        logger.info("worker started", mode=config.mode.value, rest=shown, log=where, hot_loops=loops)
        gc.collect()
        gc.freeze()
        threading.Thread(target=begin, name="first-connectors", daemon=True).start()
        servers.run()
        logger.info("worker stopping")
        told = failures[:1]  # what fails from here on fails because of the end
    for failure in told:
        raise failure


def _create(started: Running, connectors: Iterable[tuple[str, Mapping[str, str]]]) -> None:
    """Raises: what opening the log raised; ConfigError: a connector is refused."""
    started.log.result()
    if not started.herder.ready:  # told to stop before the log answered
        return
    for name, given in connectors:
        try:
            started.herder.put_config(name, dict(given))
        except RequestError as error:
            raise ConfigError([Problem(name, f"connector {name} is refused: {error}")]) from None


def _url(listener: Listener, bound: socket.socket) -> str:
    host, port = bound.getsockname()[:2]
    return f"{'https' if listener.https else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"
