"""Without boto3 and pyarrow: JSON to a folder works, and what does not says what to install."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

WITHOUT = """
import sys
sys.modules.update(dict.fromkeys(("boto3", "botocore", "pyarrow")))
from sinks.s3.connector import S3
config = {"s3.bucket.name": "b", "flush.size": "1", "format.class": "io.confluent.connect.s3.format." + sys.argv[1]}
config |= {"store.url": sys.argv[2]} if sys.argv[2:] else {}
print(*(problem.message for problem in S3.check(config)), end="")
"""


def told(*arguments: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", WITHOUT, *arguments], capture_output=True, text=True, check=True
    ).stdout


def test_what_is_not_installed_is_asked_for_only_where_it_is_needed(tmp_path: Path) -> None:
    assert told("json.JsonFormat", f"file://{tmp_path}") == ""
    assert "pip install 'tailrace[s3]'" in told("json.JsonFormat")
    assert "pip install 'tailrace[s3]'" in told("parquet.ParquetFormat", f"file://{tmp_path}")
