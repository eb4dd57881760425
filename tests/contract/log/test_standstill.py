"""A process that stands still in the middle of a question to a coordinator of Kafka goes on when it is let go."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

from connect_compat.log import LogSettings

_PROGRAM = """
import sys
from connect_compat.log import kafka_admin, kafka_errors
from cdc.errors import LogUnavailable
kafka_admin.ANSWER_S = kafka_errors.ANSWER_S = 0.3
admin = kafka_admin.KafkaAdmin({"bootstrap.servers": sys.argv[1]}, sys.argv[1])
while True:
    try:
        admin.group_members("no-such-group")
    except LogUnavailable:
        continue
    print("answered", flush=True)
"""


def test_a_question_outlived_by_a_standstill_does_not_end_the_process(kafka_settings: LogSettings) -> None:
    address = kafka_settings.client["bootstrap.servers"]
    with subprocess.Popen([sys.executable, "-c", _PROGRAM, address], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for number in range(10):
            process.stdout.readline()
            time.sleep(0.01 * number)
            os.kill(process.pid, signal.SIGSTOP)
            time.sleep(0.4)
            os.kill(process.pid, signal.SIGCONT)
        for _ in range(20):
            assert process.stdout.readline()
        process.kill()
