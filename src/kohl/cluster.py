"""Workers on a Ray cluster, or on a Ray of this machine's own: photos go to them through Ray, and results come back.

Ray is told to report nothing to its makers and to show no page. One of this machine's own is reached from this machine
alone, by who has its key, and keeps what it holds in memory, off the disk.
"""

from __future__ import annotations

import logging
import os
import queue
import re
import secrets
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

from kohl import private
from kohl.errors import BadModel, BadSetting
from kohl.job import Task
from kohl.version import __version__
from kohl.work import Said, Setup, work
from kohl.workers import Hand

LOCAL, AUTO = "local", "auto"
QUIET = {  # nothing to its makers, and on the terminal nothing of what kohl says in a sentence of its own
    **{"RAY_USAGE_STATS_ENABLED": "0", "RAY_USAGE_STATS_PROMPT_ENABLED": "0"},
    **{"RAY_DEDUP_LOGS": "1", "RAY_DEDUP_LOGS_SKIP_REGEX": ".*"},
}
LOOPBACK = "127.0.0.1"
CORES = 1  # that a worker asks of the cluster
MEMORY = 3 * 2**29  # bytes that it asks of it: what a photo of 12 megapixels takes, models included
GPU_SHARE = 0.25  # of a GPU, where the recipe names one: finding, drawing and judging are the processor's work
KNOCK_S = 5.0
THREADS = 4  # of an actor, each for a message, beside the work
SETTLED = {"OMP_NUM_THREADS": str(CORES), "OMP_WAIT_POLICY": "PASSIVE"}  # as `cpu.settle` does here


class Closed(EOFError):
    """There is no run any more."""


class _Line:
    """The worker's end, as two queues in an actor."""

    def __init__(self) -> None:
        self._in, self._out, self._ended = queue.Queue[Any](), queue.Queue[Any](), threading.Event()

    def send(self, said: Said) -> None:
        """Tells the run."""
        if self._ended.is_set():
            raise Closed
        self._out.put(said)

    def recv(self) -> Any:
        """What the run says next."""
        said = self._in.get()
        if said is None:
            raise Closed
        return said

    def hear(self) -> Said | None:
        """What the worker says next; None when it has ended."""
        return self._out.get()  # type: ignore[no-any-return]

    def tell(self, said: Any) -> None:
        """For the worker; None says that there is nothing more to do."""
        self._in.put(said)

    def close(self) -> None:
        """What the worker says from now on ends it."""
        self._ended.set()
        self._in.put(None)

    def over(self) -> None:
        """The worker has ended."""
        self._out.put(None)


class Actor:
    """A worker on the cluster: the work in a thread of its own, so that messages come and go beside it."""

    def __init__(self, setup: Setup) -> None:
        here = replace(setup, others=min(setup.others, (os.cpu_count() or 1) - 1))  # of all, as many as fit beside it
        self._line, self._setup, self._stack = _Line(), here, ExitStack()
        self._folder = self._stack.enter_context(private.folder(private.in_memory()))
        threading.Thread(target=self._work, daemon=True).start()

    def hear(self) -> Said | None:
        """What it says next; None when it has ended."""
        return self._line.hear()

    def tell(self, said: Any) -> None:
        """What it is to do next."""
        self._line.tell(said)

    def close(self) -> None:
        """It is to end at once; nothing of a photo stays, even if the work does not hear of it in time."""
        self._line.close()
        self._stack.close()

    def _work(self) -> None:
        try:
            if self._setup.version != __version__:
                there, here = self._setup.version, __version__
                self._line.send(BadModel(f"kohl {here} is on the cluster and {there} runs here; install the same"))
            else:
                work(self._line, self._setup, self._folder)
        finally:
            self._stack.close()
            self._line.over()


@dataclass(eq=False)
class Distant:
    """A worker on the cluster: a `Hand`."""

    ray: Any
    actor: Any
    why: str = "it was asked to"

    def __post_init__(self) -> None:
        self.next = self.actor.hear.remote()

    def send(self, said: Task | str) -> None:
        """Tells it what to do."""
        self.actor.tell.remote(said)

    def said(self) -> Said:
        """What it said."""
        try:
            said = self.ray.get(self.next)
        except self.ray.exceptions.RayError as error:
            self.why = _why(error)
            raise EOFError from None
        if said is None:
            raise EOFError
        self.next = self.actor.hear.remote()
        return said  # type: ignore[no-any-return]

    def fate(self) -> str:
        """How it ended."""
        return self.why

    def dismiss(self, *, quickly: bool) -> None:
        """Asks it to end."""
        if quickly:
            self.actor.close.remote()
        else:
            self.actor.tell.remote(None)

    def gone(self, wait_s: float) -> None:
        """It is, after that time at the latest; what it had on its machine, too, if it could still see to that."""
        with suppress(self.ray.exceptions.RayError):
            until_none = self.next
            while self.ray.wait([until_none], timeout=wait_s)[0] and self.ray.get(until_none) is not None:
                until_none = self.actor.hear.remote()
        self.ray.kill(self.actor)


class Cluster:
    """A `Site`: a Ray cluster."""

    has_disk = False

    def __init__(self, ray: Any) -> None:
        self._ray = ray

    def room(self) -> int:
        """How many workers it has processors for."""
        return max(1, int(self._ray.cluster_resources().get("CPU", 1)) // CORES)

    def cores(self, count: int) -> int:  # noqa: ARG002
        """As many as it asks the cluster for."""
        return CORES

    def hire(self, setup: Setup) -> Hand:
        """A new actor, wherever there is room for one."""
        gpus = {} if setup.recipe.device in ("cpu", "auto") else {"num_gpus": GPU_SHARE}
        make = self._ray.remote(
            num_cpus=CORES,
            memory=MEMORY,
            max_concurrency=THREADS,
            max_restarts=0,  # the run hires another, which gets the photo that this one had
            runtime_env={"env_vars": {**QUIET, **SETTLED}},
            **gpus,
        )
        return Distant(self._ray, make(Actor).remote(setup))

    def talking(self, hands: Sequence[Hand], timeout_s: float) -> Sequence[Hand]:
        """Those that have something to say, or are no more."""
        by_next = {hand.next: hand for hand in hands if isinstance(hand, Distant)}
        said, _ = self._ray.wait(list(by_next), num_returns=1, timeout=timeout_s, fetch_local=False)
        return [by_next[next_] for next_ in said]


@contextmanager
def opened(address: str) -> Iterator[Cluster]:
    """The Ray cluster at HOST:PORT; that of which this machine is one for `auto`; for `local` one of our own."""
    if "://" in address:
        raise BadSetting("--ray: name local, auto, or HOST:PORT; kohl itself runs on a machine of the cluster")
    os.environ.update(QUIET)
    if address not in (LOCAL, AUTO):
        _knock(address)
    with ExitStack() as stack:
        options = _own(stack) if address == LOCAL else {}
        try:
            import ray  # late: after what it is to find in the environment
        except ImportError:
            raise BadSetting("--ray: Ray is not here; pip install 'kohl[ray]'") from None
        try:
            ray.init(address=address, log_to_driver=False, logging_level=logging.CRITICAL, **options)
        except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
            where = "no Ray could be started here" if address == LOCAL else f"no Ray cluster answers at {address}"
            raise BadSetting(f"--ray: {where} ({type(error).__name__}); ray status says more") from None
        stack.callback(ray.shutdown)
        if address == LOCAL and ray.util.get_node_ip_address() != LOOPBACK:
            raise BadSetting("--ray local: this Ray would listen to the network; take another version of it")
        yield Cluster(ray)


def _knock(address: str) -> None:
    """Raises `BadSetting` where nobody listens: Ray itself would try for minutes."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), KNOCK_S).close()
    except (OSError, OverflowError):
        raise BadSetting(f"--ray: nobody listens at {address}; ray status says where the cluster is") from None


def _own(stack: ExitStack) -> dict[str, Any]:
    """What a Ray of our own is told: that nobody else may reach it, and that nothing goes to a disk."""
    folder = stack.enter_context(private.folder(private.in_memory()))
    os.environ.update({"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)})
    with suppress(ImportError):
        from ray._private import ray_constants

        ray_constants.ENABLE_RAY_CLUSTER = False  # it stays on the loopback, as on macOS; `opened` looks
    return {
        "include_dashboard": False,
        "_temp_dir": str(folder),
        "_system_config": {"automatic_object_spilling_enabled": False},
    }


def _why(error: Exception) -> str:
    """How a worker ended, in a few words of what Ray says at length."""
    said = re.sub(r"\x1b\[[0-9;]*m", "", str(error)).strip()
    if "creation task" in said:
        return f"{said.splitlines()[-1].strip()[:200]}, in the cluster's Python"
    if "memory usage threshold" in said:
        return "Ray killed it, since its machine was short of memory"
    return "its process or its machine is gone"
