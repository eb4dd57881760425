"""A one-node Elasticsearch 8.19 from its jars and a small launcher; no security, no ingest, no ILM."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path

from services import maven
from services.place import HERE, step
from services.process import Process


def start(folder: Path, port: int) -> None:
    """Starts the node on 127.0.0.1 and waits until its cluster is yellow."""
    built = maven.jars("elasticsearch-8.19.21", HERE / "elasticsearch_node")
    process = Process("elasticsearch", folder)
    if process.pid():
        return
    (folder / "tmp").mkdir(parents=True, exist_ok=True)
    with step(f"starting Elasticsearch on 127.0.0.1:{port}"):
        process.start(
            ["java", "-Xms256m", "-Xmx768m", "-XX:+UseSerialGC", "-Djava.awt.headless=true",
             f"-Djava.io.tmpdir={folder}/tmp", f"-Djna.tmpdir={folder}/tmp",
             "-Des.plugins=org.elasticsearch.transport.netty4.Netty4Plugin,org.elasticsearch.plugins.RootPlugin",
             "-cp", f"{built}/classes:{built}/libs/*", "org.elasticsearch.node.LocalNode",
             folder, str(port), str(port + 100)],
            lambda: answers(port),
            env=maven.environment(),
        )  # fmt: skip


def answers(port: int) -> bool:
    url = f"http://127.0.0.1:{port}/_cluster/health?wait_for_status=yellow&timeout=2s"
    try:
        with urllib.request.urlopen(url, timeout=3) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False
