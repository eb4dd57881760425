"""A worker among others: who leads, which runs are this worker's, and when it must let go.

One thread watches the group: it asks Kafka who is alive, reads the orders (`assignment.py`), and starts and stops
runs here as they say. The leader's orders are given by the herder's thread through `GroupRuns`.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

import structlog

from cdc.errors import LogUnavailable, RequestError
from connect_compat import assignment
from connect_compat.assignment import NOTHING, Leader, Orders, Run, Worker
from connect_compat.log import Group
from connect_compat.masking import text_without_secrets
from connect_compat.runs import LocalRuns, Runs
from connect_compat.state import Config, Configs, State, Status, Statuses, Target
from connect_compat.turns import NO_LEADER
from connect_compat.worker import TaskId

logger = structlog.get_logger(__name__)
_LOOK_S: Final = 0.5
"""Between two questions to Kafka who is alive; whatever is written rings at once."""
_SETTLED_S: Final = 0.2
_TROUBLED_S: Final = 5.0
_LEADER_S: Final = 20.0
"""How long a request waits for a leader to be found."""
_ACKNOWLEDGED_S: Final = 15.0
"""How long the leader waits, beyond a task's graceful stop, until a live worker says that a run has ended."""


class Elsewhere(RequestError):
    """Another worker must be asked. `url`: where it answers."""

    def __init__(self, url: str) -> None:
        super().__init__(409, "Cannot complete request because of a conflicting operation (e.g. worker rebalance)")
        self.url = url


@dataclass(frozen=True)
class Membership:
    """How a worker takes part.

    Attributes:
        url: where the others reach its REST.
        session_s: without a sign of life for this long it is dead, and its tasks go elsewhere.
    """

    worker: Worker
    url: str
    session_s: float
    heartbeat_s: float


@dataclass(frozen=True)
class Duties:
    """What a worker does when the group asks for it. Called by the watching thread: be quick.

    Attributes:
        lead: it leads from now on.
        balance: while it leads, workers came or went.
        set_level: a logger and its level, told to all workers.
    """

    lead: Callable[[], None]
    balance: Callable[[], None]
    set_level: Callable[[str, str], None]


class Cluster:
    """This worker's part in the group. Methods from any thread.

    Three threads: one watches the group, one starts and stops runs here, one notices that the process stood still.
    """

    def __init__(
        self, group: Group, place: Membership, configs: Configs, statuses: Statuses, here: LocalRuns,
        duties: Duties,
    ) -> None:  # fmt: skip
        self._group, self.place = group, place
        self._configs, self.statuses, self._here = configs, statuses, here
        self._duties = duties
        self._changed = threading.Condition()
        self._members: Mapping[Worker, str] = {}
        self._asked = self._beat = 0.0
        self._looked = self._woke = 0.0
        self.orders: Orders = NOTHING
        self.epoch = -1
        self._mine: dict[TaskId, Run] = {}
        self._reading = threading.Lock()
        self._stopping, self._still = threading.Event(), threading.Event()
        self._threads = [
            threading.Thread(target=run, name=f"worker-group-{run.__name__.strip('_')}", daemon=True)
            for run in (self._watch, self._obey_orders, self._pulse)
        ]

    def start(self) -> None:
        """Joins, and follows orders from then on. Raises: LogUnavailable, LogError."""
        place = self.place
        self._group.orders.put([(assignment.leaving_key(place.worker), None)])
        self._group.join(place.url, round(place.session_s * 1000), round(place.heartbeat_s * 1000))
        self._beat = time.monotonic()
        for thread in self._threads:
            thread.start()

    def stop_following(self) -> None:
        """Asks the group nothing more: so that a stop does not wait for a question that was put after it."""
        self._stopping.set()
        with self._changed:
            self._changed.notify_all()

    def leave(self) -> None:
        """Tells the others to take over, if they do not do so anyway, and stops what runs here."""
        self._end_threads()
        with contextlib.suppress(LogUnavailable):
            if self._joined() and self._in_touch():
                self._group.orders.put([(assignment.leaving_key(self.place.worker), b"{}")])
        self._stop(list(self._mine))

    def close(self) -> None:
        self._end_threads()
        self._group.close()

    def _end_threads(self) -> None:
        self.stop_following()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    # Who leads

    def leading(self) -> bool:
        """Whether this worker's word counts: it leads as far as it knows, and was a member a moment ago."""
        return self._in_touch() and self._joined() and self.orders.leader == Leader(self.place.worker, self.epoch)

    def _in_touch(self) -> bool:
        """Whether Kafka has answered for this group within a session: after one the others count this worker out."""
        return time.monotonic() - self._asked < self.place.session_s

    def _joined(self) -> bool:
        return self.place.worker in self._members

    def led(self) -> bool:
        """Whether somebody leads, and this worker is a member."""
        return self._joined() and (self.leading() or self.leader_url() is not None)

    def must_lead(self) -> None:
        """Raises: Elsewhere: another worker leads; RequestError: 409: nobody does just now."""
        self.wait(lambda: self.leading() or self.leader_url() is not None or self._stopping.is_set(), _LEADER_S)
        if self.leading():
            return
        url = self.leader_url()
        raise RequestError(409, NO_LEADER) if url is None else Elsewhere(url)

    def leader_url(self) -> str | None:
        """Where another worker that leads answers; None when none is known."""
        leader = self.orders.leader
        if leader is None or leader.worker == self.place.worker or leader.worker not in self.takers():
            return None
        return self._members.get(leader.worker)

    def url_of(self, task: TaskId) -> str | None:
        """Where the worker that runs the task answers; None: it runs here, or nowhere."""
        run = self.orders.runs.get(task)
        if run is None or run.stopped or run.worker == self.place.worker:
            return None
        return self._members.get(run.worker)

    def takers(self) -> list[Worker]:
        """Workers that tasks may be given to."""
        return sorted(set(self._members) - self.orders.leaving)

    def alive(self, worker: Worker) -> bool:
        return worker in self._members

    def order(self, entries: Sequence[tuple[str, bytes | None]]) -> None:
        """Gives orders. Raises: LogUnavailable: also when this worker does not lead any more."""
        if not self.leading():
            raise LogUnavailable("this worker does not lead its group just now")
        self._group.orders.put(entries)
        self._read()

    def wait(self, until: Callable[[], bool], timeout_s: float) -> bool:
        """Whether it came true in time; looked at whenever something was read."""
        with self._changed:
            return self._changed.wait_for(until, timeout_s)

    def stood_still(self) -> bool:
        """Whether the process was stopped for so long that others have taken over its tasks."""
        return self._still.is_set() or time.monotonic() - self._beat > self._patience

    @property
    def _patience(self) -> float:
        return self.place.session_s * 0.8

    # Threads

    def _pulse(self) -> None:
        while not self._stopping.wait(_LOOK_S):
            now = time.monotonic()
            if now - self._beat > self._patience:
                self._awake(now - self._beat)
            self._beat = now

    def _awake(self, slept_s: float) -> None:
        """Nothing that was known before counts, and what runs here may be another worker's."""
        logger.error("this worker stood still: others may have its tasks by now, so it lets go of them",
                     stood_still_s=round(slept_s, 1))  # fmt: skip
        self._woke = time.monotonic()
        self._still.set()
        with self._changed:
            self._changed.notify_all()

    def _up_to_date(self) -> bool:
        """Whether what is known of the group was asked for after this process last stood still."""
        return self._looked >= self._woke and not self.stood_still()

    def _watch(self) -> None:
        told = False
        while not self._stopping.is_set():
            try:
                self._look()
                told = False
            except LogUnavailable as error:
                if not told:
                    logger.warning("the worker group cannot be reached", error=text_without_secrets(str(error)))
                told = True
                self._stopping.wait(_LOOK_S)
            except Exception as error:
                logger.error("this worker cannot follow its group; trying again", exc_info=True,
                             error=text_without_secrets(str(error)))  # fmt: skip
                self._stopping.wait(_TROUBLED_S)

    def _look(self) -> None:
        began = time.monotonic()
        rang = self._group.wait(_LOOK_S)
        before = (self._members, self.orders.leaving)
        anew, asked = not self._up_to_date(), time.monotonic()
        if anew or asked - self._asked >= _LOOK_S:
            self._members = self._group.members()
            self._asked = asked
            self._tell_members(before[0])
        if rang or anew or self._members != before[0] or self.orders is NOTHING:
            self._read()
        self._looked = began
        if self._joined() and self._up_to_date():
            self._claim()
        if (self._members, self.orders.leaving) != before and self.leading():
            self._duties.balance()

    def _tell_members(self, before: Mapping[Worker, str]) -> None:
        came, gone = sorted(self._members.keys() - before.keys()), sorted(before.keys() - self._members.keys())
        if came or gone:
            logger.info("the group's workers are others now", came=came, gone=gone, workers=len(self._members))

    def _read(self) -> None:
        """Orders first: what they speak of was written before them. One reader at a time: no older state comes last."""
        with self._reading:
            self.orders = assignment.read(self._group.orders.all()).following(self.orders)
            self._configs.refresh()
            self.statuses.refresh()
        for name, level in self._configs.new_levels().items():
            self._duties.set_level(name, level)
        with self._changed:
            self._changed.notify_all()

    def _claim(self) -> None:
        """Leads when nobody does: the first of those who may, or who led before its restart."""
        leader, takers, me = self.orders.leader, self.takers(), self.place.worker
        mine = leader is not None and leader.worker == me
        if not takers or self._stopping.is_set() or (mine and leader == Leader(me, self.epoch)):
            return
        if not mine and (takers[0] != me or (leader is not None and leader.worker in takers)):
            return
        self.epoch = (leader.epoch if leader else 0) + 1
        claim = Leader(me, self.epoch)
        self._group.orders.put([("leader", claim.as_record())])
        time.sleep(_SETTLED_S)  # whoever claimed in the same moment: the last one leads
        self._read()
        if self.orders.leader == claim:
            logger.info("this worker leads the group", group_epoch=self.epoch, workers=len(self._members))
            self._duties.lead()

    def _obey_orders(self) -> None:
        while not self._stopping.is_set():
            with self._changed:
                self._changed.wait(_LOOK_S)
            try:
                if self._still.is_set():
                    self._stop(list(self._mine), silent=True)
                    self._still.clear()
                if self._joined() and self._up_to_date() and not self._stopping.is_set():
                    self._obey()
            except LogUnavailable:  # the watching thread tells of it
                continue
            except Exception:
                logger.exception("orders could not be carried out; trying again")
                self._stopping.wait(_TROUBLED_S)

    def _obey(self) -> None:
        me, orders = self.place.worker, self.orders
        mine = {task: run for task, run in orders.runs.items() if run.worker == me}
        wanted = {task: run for task, run in mine.items() if not run.stopped}
        self._stop([task for task, run in self._mine.items()
                    if task not in wanted or wanted[task].number != run.number])  # fmt: skip
        ended = [
            (assignment.done_key(task), assignment.done_record(run.number))
            for task, run in mine.items()
            if run.stopped and orders.done.get(task, -1) < run.number
        ]
        if ended:
            self._group.orders.put(ended)
        for task, run in wanted.items():
            if task not in self._mine:
                self._begin(task, run)
            elif self._mine[task].paused is not run.paused:
                self._here.set_paused(task, paused=run.paused)
                self._mine[task] = run
        self._here.tell_again(self._mine)

    def _begin(self, task: TaskId, run: Run) -> None:
        configs = self._configs.tasks(task.connector)
        if task.task >= len(configs) or assignment.digest(configs[task.task]) != run.digest:
            return  # a newer order is on its way
        logger.info("a task starts here", task=str(task), run=run.number, group_epoch=run.epoch)
        self._mine[task] = run
        self._here.start(task.connector, task.task, configs[task.task], paused=run.paused)

    def _stop(self, tasks: Sequence[TaskId], *, silent: bool = False) -> None:
        if tasks:
            logger.info("tasks end here", tasks=[str(task) for task in tasks])
            self._here.stop_all(tasks, silent=silent)
            for task in tasks:
                del self._mine[task]


@dataclass
class GroupRuns(Runs):
    """Runs on all workers of the group, as the leader orders them."""

    cluster: Cluster
    graceful_s: float
    _gathered: dict[TaskId, Run] | None = None

    @contextmanager
    def together(self) -> Iterator[None]:
        """Orders to start are given in one go at the end: one write and one reading, not one for each."""
        self._gathered = {}
        try:
            yield
        finally:
            gathered, self._gathered = self._gathered, None
            self._order(gathered)

    def _order(self, runs: Mapping[TaskId, Run]) -> None:
        if runs:
            self.cluster.order([(assignment.run_key(task), run.as_record()) for task, run in runs.items()])

    def running(self, name: str) -> list[int]:
        runs = self._runs()
        return sorted(task.task for task, run in runs.items() if task.connector == name and not run.stopped)

    def _runs(self) -> Mapping[TaskId, Run]:
        runs = self.cluster.orders.runs
        return {**runs, **self._gathered} if self._gathered else runs

    def adopt(self, configs: Configs) -> None:
        """Runs that a former leader ordered go on; those of other configs, or of nothing any more, end."""
        wanted = {
            TaskId(name, number): assignment.digest(config)
            for name in configs.names()
            for number, config in enumerate(configs.tasks(name))
        }
        cluster, known = self.cluster, set(configs.names())
        self._end([task for task, run in cluster.orders.runs.items() if run.stopped or wanted.get(task) != run.digest])
        gone = [task for task, run in cluster.orders.runs.items() if run.stopped and task.connector not in known]
        cluster.order([(key(task), None) for task in gone for key in (assignment.run_key, assignment.done_key)])
        # a former leader may have stored what is wanted and died before it ordered it
        self._set_paused({name: configs.target(name) is Target.PAUSED for name in known})
        self.balance()

    def start(self, name: str, number: int, config: Config, *, paused: bool) -> None:
        cluster, task = self.cluster, TaskId(name, number)
        orders, takers = cluster.orders, cluster.takers()
        if not takers:
            raise LogUnavailable(f"no worker of the group is there to run task {task}")
        load, before = assignment.load(self._runs()), orders.runs.get(task)
        worker = assignment.least_loaded(load, takers)
        if before is not None and before.worker in takers and load[before.worker] <= load[worker]:
            worker = before.worker
        latest = max(before.number if before else 0, orders.done.get(task, 0))
        run = Run(worker, latest + 1, cluster.epoch, assignment.digest(config), paused)
        if self._gathered is None:
            self._order({task: run})
        else:
            self._gathered[task] = run

    def stop(self, name: str, numbers: Sequence[int], *, restarting: bool = False) -> None:
        tasks = [TaskId(name, number) for number in numbers]
        owners = {task: run.worker for task in tasks if (run := self.cluster.orders.runs.get(task)) is not None}
        self._end(tasks)
        self.cluster.statuses.refresh()
        for task, worker in owners.items():
            known = self.cluster.statuses.tasks(name).get(task.task)
            if known is not None and known.state is not State.FAILED and not self.cluster.alive(worker):
                self._say(task, State.UNASSIGNED, worker)  # its worker is dead and says nothing
            if restarting:
                self._say(task, State.RESTARTING, worker)

    def _say(self, task: TaskId, state: State, worker: Worker) -> None:
        self.cluster.statuses.put_task(task.connector, task.task, Status(state, worker, self.cluster.epoch))

    def _end(self, tasks: Sequence[TaskId]) -> None:
        cluster = self.cluster
        there = {task: run for task in tasks if (run := cluster.orders.runs.get(task)) is not None}
        live = {task: run for task, run in there.items() if not run.stopped}
        self._order({task: replace(run, epoch=cluster.epoch, stopped=True) for task, run in live.items()})

        def over() -> bool:
            done = cluster.orders.done
            return all(done.get(task, -1) >= run.number or not cluster.alive(run.worker) for task, run in there.items())

        if not cluster.wait(over, self.graceful_s + _ACKNOWLEDGED_S):
            logger.warning("a worker does not say that its tasks have ended", tasks=[str(task) for task in there])

    def pause(self, name: str) -> None:
        self._set_paused({name: True})

    def resume(self, name: str) -> None:
        self._set_paused({name: False})

    def _set_paused(self, wanted: Mapping[str, bool]) -> None:
        cluster = self.cluster
        self._order({
            task: replace(run, epoch=cluster.epoch, paused=wanted[task.connector])
            for task, run in cluster.orders.runs.items()
            if not run.stopped and wanted.get(task.connector, run.paused) is not run.paused
        })  # fmt: skip

    def balance(self) -> None:
        """Runs of workers that are gone, or leave, go elsewhere; a new worker gets its share.

        What is taken from a live worker is given on when that worker says it has ended.
        """
        cluster, before = self.cluster, self.cluster.orders
        placed = {task: run.worker for task, run in before.runs.items() if not run.stopped}
        moves = assignment.spread(placed, cluster.takers())
        if not moves:
            return
        logger.info("tasks move", tasks=len(moves), workers=len(cluster.takers()))
        orphans = [task for task in moves if not cluster.alive(placed[task])]
        self._give(before, {task: moves[task] for task in orphans})
        taken = [task for task in moves if task not in orphans]
        self._end(taken)
        self._give(before, {task: moves[task] for task in taken})

    def _give(self, before: Orders, moves: Mapping[TaskId, Worker]) -> None:
        self._order({
            task: replace(run, worker=worker, number=run.number + 1, epoch=self.cluster.epoch)
            for task, worker in moves.items()
            if (run := before.runs.get(task)) is not None
        })  # fmt: skip
