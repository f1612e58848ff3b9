"""Starts processes, keeps them running, and stops them without interrupting an order in flight."""

# Each child has a session of its own. A stop signal goes to the child's main process alone: a queue
# worker that gets the signal too drops the order in flight. What is left of the session afterwards
# is killed as a whole.

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import FrameType

BASE_DIR = Path(__file__).resolve().parents[2]
TICK = 0.1
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
PR_SET_PDEATHSIG = 1


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _die_with_parent() -> None:
    # Runs in the child: the kernel sends it a SIGTERM when the supervisor is killed outright.
    if LIBC:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def spawn(
    command: Sequence[str], *, output: int | None = None, env: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start a command in a session of its own. `output`: a file descriptor for all it prints.

    `env` is added to the environment.
    """
    # its own session: a Ctrl-C at the terminal then reaches the supervisor alone
    return subprocess.Popen(  # noqa: S603  (the commands are our own)
        command,
        cwd=BASE_DIR,
        env=os.environ | (env or {}),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=None if output is None else subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=_die_with_parent,
    )


def kill_session(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left of a child and of the processes that it started."""
    # macOS answers EPERM for a group of zombies
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@dataclass
class Child:
    """A process to keep running.

    `grace`: seconds it gets to stop. `last`: the others need it while they stop. `beats`: its
    heartbeat is watched. `env`: added to its environment.
    """

    name: str
    command: Sequence[str]
    grace: float
    last: bool = False
    beats: bool = False
    env: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    crashes: int = field(default=0, init=False)
    started_at: float = field(default=0, init=False)
    start_at: float = field(default=0, init=False)
    beat: datetime | None = field(default=None, init=False)
    beat_seen_at: float = field(default_factory=time.monotonic, init=False)
    beat_read_at: float = field(default_factory=time.monotonic, init=False)

    def start(self) -> None:
        self.process = spawn(self.command, env=self.env)
        self.started_at = time.monotonic()

    def restart_later(self, reason: str) -> None:
        """Kill what is left of the child, and start it again after 1, 2, 4 … 30 seconds."""
        assert self.process
        kill_session(self.process)
        # after a minute without a crash the waits begin at one second again
        self.crashes = 1 if time.monotonic() - self.started_at > 60 else self.crashes + 1
        wait = min(2 ** (self.crashes - 1), 30)
        self.process, self.start_at = None, time.monotonic() + wait
        say(f"{self.name.capitalize()} {reason}; starting it again in {wait} s.")


class Supervisor:
    """Runs children until a stop signal. Times are monotonic seconds.

    `last_beat` reads the heartbeat of the child of that name.
    """

    # monotonic: with the wall clock, a laptop that was suspended would look like a hung worker

    def __init__(
        self,
        children: Sequence[Child],
        *,
        last_beat: Callable[[str], datetime | None] | None = None,
        stale: float = 300,
        is_ready: Callable[[], bool] | None = None,
        on_ready: Callable[[], None] | None = None,
    ) -> None:
        self.children = children
        self.last_beat = last_beat
        self.stale = stale
        self.is_ready = is_ready
        self.on_ready = on_ready
        self.stopping = self.hurry = False
        self._interrupted_at: float | None = None

    def listen(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.stopping = True
        if number != signal.SIGINT:
            return
        now = time.monotonic()
        if self._interrupted_at is None:
            self._interrupted_at = now
        # a second signal within a second is the same Ctrl-C, passed on by a parent such as make
        elif now - self._interrupted_at > 1:
            self.hurry = True

    def step(self, command: Sequence[str]) -> tuple[int, str]:
        """Run a command until it ends or a stop signal comes. Returns exit code and output."""
        with tempfile.TemporaryFile() as output:
            process = spawn(command, output=output.fileno())
            while process.poll() is None and not self.stopping:
                time.sleep(TICK)
            kill_session(process)
            output.seek(0)
            return process.returncode, output.read().decode(errors="replace").strip()

    def run(self) -> None:
        while not self.stopping:
            for child in self.children:
                self._keep_running(child)
            if self.is_ready and self.is_ready():
                self.is_ready = None
                if self.on_ready:
                    self.on_ready()
            time.sleep(TICK)
        self._stop()

    def _keep_running(self, child: Child) -> None:
        now = time.monotonic()
        if child.process is None:
            if now >= child.start_at:
                child.start()
        elif (code := child.process.poll()) is not None:
            child.restart_later(
                f"ended unexpectedly ({'exit code' if code >= 0 else 'signal'} {abs(code)})"
            )
        elif child.beats and self._is_stale(child):
            child.restart_later(f"runs, but finished no task for {self.stale:.0f} s")

    def _is_stale(self, child: Child) -> bool:
        """True if no new heartbeat came for `stale` seconds."""
        now = time.monotonic()
        if self.last_beat is None or now - child.beat_read_at < min(30, self.stale / 5):
            return False
        child.beat_read_at = now
        try:
            beat = self.last_beat(child.name)
        # a database that can't be read says nothing about the worker
        except Exception as error:
            say(
                f"The heartbeat can't be read ({type(error).__name__}); leaving the {child.name}"
                " alone."
            )
            child.beat_seen_at = now
            return False
        if beat != child.beat:
            child.beat, child.beat_seen_at = beat, now
        return now - max(child.beat_seen_at, child.started_at) > self.stale

    def _stop(self) -> None:
        # children that the others need while they stop come last
        for last in (False, True):
            running = [
                (child, child.process)
                for child in self.children
                if child.process and child.last is last
            ]
            for _child, process in running:
                process.terminate()
            began, is_announced = time.monotonic(), False
            while running:
                waited = time.monotonic() - began
                for child, process in list(running):
                    if self.hurry or waited > child.grace or process.poll() is not None:
                        kill_session(process)
                        running.remove((child, process))
                has_worker = any(child.beats for child, _process in running)
                if waited > 2 and has_worker and not is_announced:
                    is_announced = True
                    say("Waiting for orders in flight… (Ctrl-C again stops at once)")
                time.sleep(TICK)
