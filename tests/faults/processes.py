"""The processes of a drill: started in sessions of their own, frozen, killed, and seen in `/proc`."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from mailops.ops.processes import BASE_DIR

LONGEST_WAIT = 90  # seconds
START_AGENT = "import django; django.setup(); from tests.faults import agent; agent.main()"


def wait_for(happened: Callable[[], Any], what: str, *, show: Callable[[], object] = str) -> Any:
    """The first true answer. AssertionError with `show()` after 90 seconds."""
    until = time.monotonic() + LONGEST_WAIT
    while not (answer := happened()):
        assert time.monotonic() < until, f"waited in vain for {what}: {show()}"
        time.sleep(0.02)
    return answer


class Running:
    """A process in a session of its own, with a log of its own."""

    def __init__(
        self, command: tuple[str, ...], *, env: Mapping[str, str], log: Path, **options: Any
    ) -> None:
        self.log, self.is_dead = log, False
        with log.open("ab") as output:
            self.popen = subprocess.Popen(
                [sys.executable, *command],
                cwd=BASE_DIR,
                env=env,
                stdout=options.pop("stdout", output),
                stderr=output,
                stdin=options.pop("stdin", subprocess.DEVNULL),
                start_new_session=True,
                **options,
            )

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def wait_output(self, pattern: str) -> re.Match[str]:
        found: re.Match[str] = wait_for(
            lambda: re.search(pattern, self.output()), pattern, show=self.output
        )
        return found

    def kill(self) -> None:
        """SIGKILL to the process and all that it started; none of them runs afterwards."""
        if self.is_dead:  # its number may be another process's by now
            return
        with suppress(ProcessLookupError):
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait()
        wait_for(lambda: not _is_group(self.popen.pid), "the end of a session")
        self.is_dead = True

    def wait_end(self) -> int:
        wait_for(lambda: self.popen.poll() is not None, "the end of a process", show=self.output)
        return self.popen.returncode


class Cluster(Running):
    """A qcluster. Its processes log their roles and numbers when they start."""

    def pids(self, role: str) -> list[int]:
        words = {"worker": "ready for work", "monitor": "monitoring", "pusher": "pushing tasks"}
        return [int(pid) for pid in re.findall(rf"{words[role]} at (\d+)", self.output())]

    def wait_ready(self) -> None:
        for role in ("worker", "monitor", "pusher"):
            wait_for(lambda role=role: self.pids(role), f"a {role}", show=self.output)
        self.wait_output(r"\] running\.")

    @property
    def sentinel(self) -> int:
        return parent_of(self.pids("monitor")[0])


class Agent(Running):
    """The process that works on the installation's database: see `tests/faults/agent.py`."""

    def __init__(self, *, env: Mapping[str, str], log: Path) -> None:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        super().__init__(("-c", START_AGENT), env=env, log=log, **pipes)

    def ask(self, command: str, **arguments: Any) -> dict[str, Any]:
        """`{"answer": …}` of one of the agent's commands, or `{"error": traceback}`."""
        assert self.popen.stdin and self.popen.stdout
        self.popen.stdin.write(json.dumps([command, arguments]) + "\n")
        self.popen.stdin.flush()
        line = self.popen.stdout.readline()
        assert line, self.output()
        answer: dict[str, Any] = json.loads(line)
        return answer


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def is_frozen(pid: int) -> bool:
    return _state_letter(pid) == "T"


def has_ended(pid: int) -> bool:
    """True for a zombie that nobody reaped yet, too."""
    return _state_letter(pid) in "ZX"


def _state_letter(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "X"


def _is_group(pgid: int) -> bool:
    """True while any process of the group runs. Zombies do not count."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _parent, group = stat.read_text().rpartition(")")[2].split()[:3]
            if int(group) == pgid and state not in "ZX":
                return True
    return False
