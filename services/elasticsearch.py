"""A one-node Elasticsearch or OpenSearch from its jars and a small launcher; no ingest, no ILM.

`opensearchsecure` and `elasticsearchsecure` have security; the registry has it of some releases alone. How it is set up
(certificates, users) is what the `config` folder of the node's folder says, which must be there before the node starts.
"""

from __future__ import annotations

import os
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from typing import Final, NamedTuple

from services import maven
from services.place import HERE, step
from services.process import Process

_ES_NETTY, _OS_NETTY = "org.elasticsearch.transport.netty4.Netty4Plugin", "org.opensearch.transport.Netty4Plugin"


class Release(NamedTuple):
    """Attributes:
    recipe: folder of the pom and the launcher; `sources`: which of its folders make the launcher of this release.
    netty: artifact of the HTTP server, with the class `plugin`.
    newest_java: whether it needs a newer one than Debian has.
    security: classes of the plugins that make it ask for TLS and a login; `archive`: where they are, if not a profile
        of the pom has them.
    """

    version: str
    recipe: str
    sources: tuple[str, ...]
    netty: str
    plugin: str
    newest_java: bool
    security: tuple[str, ...] = ()
    archive: str = ""

    @property
    def name(self) -> str:
        return self.recipe.removesuffix("_node")


_ELASTICSEARCH_9: Final = Release(
    "9.5.3", "elasticsearch_node", ("src", "src-9"), "transport-netty4", _ES_NETTY, newest_java=True
)
_OPENSEARCH_2: Final = Release(
    "2.19.6", "opensearch_node", ("src",), "transport-netty4-client", _OS_NETTY, newest_java=True
)
RELEASES: Final = {
    "elasticsearch": Release(
        "8.19.21", "elasticsearch_node", ("src", "src-8"), "transport-netty4", _ES_NETTY, newest_java=False
    ),
    "elasticsearch9": _ELASTICSEARCH_9,
    "elasticsearch7": Release(
        "7.17.29", "elasticsearch_node", ("src-7",), "transport-netty4-client",
        "org.elasticsearch.transport.Netty4Plugin", newest_java=False,
    ),
    "opensearch2": _OPENSEARCH_2,
    "opensearch3": Release(
        "3.8.0", "opensearch_node", ("src",), "transport-netty4-client",
        "org.opensearch.transport.Netty4ModulePlugin", newest_java=True,
    ),
    "opensearchsecure": _OPENSEARCH_2._replace(
        version="2.19.4", security=("org.opensearch.security.OpenSearchSecurityPlugin",),
        archive="org.opensearch.plugin:opensearch-security:2.19.4.0:zip",
    ),
    "elasticsearchsecure": _ELASTICSEARCH_9._replace(
        sources=("src", "src-9", "src-9-security"),
        security=("org.elasticsearch.xpack.core.XPackPlugin", "org.elasticsearch.xpack.security.LocalSecurity"),
    ),
}  # fmt: skip


def start(folder: Path, port: int, kind: str = "elasticsearch") -> None:
    """Starts the node on 127.0.0.1 and waits until its cluster is yellow, or until it asks for a login."""
    release = RELEASES[kind]
    name = release.name
    secure = {"security": "true"} if release.security else {}
    built = maven.jars(
        f"{name}-node-{release.version}{'-secure' * len(secure)}", HERE / release.recipe, sources=release.sources,
        settings={"server": release.version, "netty": release.netty, **secure}, newest_java=release.newest_java,
    )  # fmt: skip
    libraries = [built / "classes", built / "libs" / "*"]
    if release.archive:
        libraries.append(maven.unpacked(release.archive) / "*")
    process = Process(kind, folder)
    if process.pid():
        return
    (folder / "tmp").mkdir(parents=True, exist_ok=True)
    java = maven.newest_java() if release.newest_java else "java"
    with step(f"starting {name} {release.version} on 127.0.0.1:{port}"):
        process.start(
            [java, "-Xms256m", "-Xmx768m", "-XX:+UseSerialGC", "-Djava.awt.headless=true",
             f"-Djava.io.tmpdir={folder}/tmp", f"-Djna.tmpdir={folder}/tmp",
             "-cp", ":".join(map(str, libraries)), f"org.{name}.node.LocalNode",
             folder, str(port), str(port + 100), release.plugin, *release.security],
            lambda: asks_for_login(port) if release.security else answers(port),
            env=dict(os.environ) if release.newest_java else maven.environment(),
        )  # fmt: skip


def answers(port: int) -> bool:
    url = f"http://127.0.0.1:{port}/_cluster/health?wait_for_status=yellow&timeout=2s"
    try:
        with urllib.request.urlopen(url, timeout=3) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def asks_for_login(port: int) -> bool:
    """It does so when it has read its users."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with urllib.request.urlopen(f"https://127.0.0.1:{port}/", timeout=3, context=context):
            return True
    except urllib.error.HTTPError as error:
        return error.code == 401
    except OSError:
        return False
