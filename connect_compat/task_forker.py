"""The process that task processes are forked from. It has imported what they need, has one thread, and runs nothing.

    in   messages on the socket whose descriptor is the first argument: `start <name>` with the stdin and the stdout of
         a new task process, or `kill <pid>`
    out  `ready` when all is imported; `pid <pid>` for each start; `end <pid> <status>` when one has ended, negative if
         a signal ended it

It ends when the worker closes the socket or dies; its task processes then die too. The second argument names the
modules to import; the third is blank, room for the name of a task process in the list of processes.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import os
import selectors
import signal
import socket
import sys
from pathlib import Path
from typing import Final, NoReturn

from connect_compat import task_process

MESSAGE: Final = 1 << 12
_PR_SET_NAME: Final = 15
_FIRST_ARGUMENT: Final = 4
"""After the interpreter, `-P`, `-c` and the program."""
_ARG_START: Final = 45
_ARG_END: Final = 46
"""Places in /proc/self/stat after the command's name. Source: proc(5), fields 48 and 49."""


def main() -> NoReturn:
    """Forks until the socket is closed; in a task process it runs the task."""
    task_process.die_with_the_worker()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # told to a whole control group: the tasks end first, by the worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for module in filter(None, sys.argv[2].split(",")):
        with contextlib.suppress(Exception):  # the task process fails at it too, and says so
            importlib.import_module(module)
    gc.collect()
    gc.freeze()
    name = _Forker(socket.socket(fileno=int(sys.argv[1]))).run()
    _call_it(name)
    task_process.main()


class _Forker:
    def __init__(self, worker: socket.socket) -> None:
        self._worker = worker
        self._ended, self._told = os.pipe()
        os.set_blocking(self._ended, False)
        os.set_blocking(self._told, False)
        self._children: set[int] = set()

    def run(self) -> str:
        """Returns in a task process only: its name."""
        signal.set_wakeup_fd(self._told, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._tell("ready")
        with selectors.DefaultSelector() as selector:
            selector.register(self._worker, selectors.EVENT_READ)
            selector.register(self._ended, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    if key.fd == self._ended:
                        self._bury()
                    elif (name := self._obey()) is not None:
                        return name

    def _obey(self) -> str | None:
        try:
            message, descriptors, _, _ = socket.recv_fds(self._worker, MESSAGE, 2)
        except ConnectionError:
            message = b""
        if not message:  # the worker is gone
            os._exit(0)
        order, _, rest = message.decode().partition(" ")
        if order == "kill":
            if int(rest) in self._children:
                os.kill(int(rest), signal.SIGKILL)
            return None
        pid = os.fork()
        if pid == 0:
            _take(*descriptors)
            return rest
        self._children.add(pid)
        for descriptor in descriptors:
            os.close(descriptor)
        self._tell(f"pid {pid}")
        return None

    def _bury(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._ended, MESSAGE)
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                self._children.discard(ended[0])
                self._tell(f"end {ended[0]} {os.waitstatus_to_exitcode(ended[1])}")

    def _tell(self, message: str) -> None:
        try:
            self._worker.send(message.encode())
        except OSError:  # the worker is gone
            os._exit(0)


def _take(stdin: int, stdout: int) -> None:
    """Makes this a process of its own, which holds nothing of the others."""
    os.setpgid(0, 0)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.dup2(stdin, 0)
    os.dup2(stdout, 1)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))


def _call_it(name: str) -> None:
    """The task's name in the list of processes: in its command line, in place of this process's own arguments."""
    sys.argv[1:] = [name]
    with contextlib.suppress(OSError, ValueError, IndexError):
        stat = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        start, end = int(stat[_ARG_START]), int(stat[_ARG_END])
        arguments = Path("/proc/self/cmdline").read_bytes().split(b"\0")
        start += sum(len(each) + 1 for each in arguments[:_FIRST_ARGUMENT])
        ctypes.memmove(start, name.encode()[: end - start - 1].ljust(end - start, b"\0"), end - start)
        ctypes.CDLL(None).prctl(_PR_SET_NAME, name.encode()[:15])
