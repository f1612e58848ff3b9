"""The supervisor with real processes: restarts, waits, and no process left behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from mailops.ops.processes import BASE_DIR, Supervisor
from tests.ports import free_ports

# A child and a helper in its session, as the queue's main process and its workers. `note` appends
# to the test's log.
CHILD = """
import os, signal, subprocess, sys, time
from pathlib import Path
name, role = sys.argv[1:]
log = os.open("log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
note = lambda word: os.write(log, f"{name} {role} {word} {os.getpid()}\\n".encode())
until = lambda file: [time.sleep(0.02) for _ in iter(lambda: Path(file).exists(), True)]
def on_term(number, frame):
    note("signalled")
    until(f"{name}-may-stop")
    note("stopped")
    os._exit(0)
signal.signal(signal.SIGTERM, on_term)
if role == "main":
    subprocess.Popen([sys.executable, "-c", Path("child.py").read_text(), name, "helper"])
note("started")
while True:
    if role == "main" and Path(f"{name}-crash").exists():
        Path(f"{name}-crash").unlink()
        os._exit(3)
    if role == "main" and not Path(f"{name}-hang").exists():
        Path(f"{name}-beat").write_text(str(time.time()))
    time.sleep(0.02)
"""

KEEPER = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from mailops.ops.processes import Child, Supervisor
os.chdir(sys.argv[1])
def last_beat(name):
    with open("reads", "a") as reads:
        reads.write(".")
    if Path("no-database").exists():
        raise OSError("the database is away")
    beat = Path(f"{name}-beat")
    return datetime.fromtimestamp(float(beat.read_text() or 0), UTC) if beat.exists() else None
def child(name, **more):
    program = f"import os; os.chdir({sys.argv[1]!r}); exec(open('child.py').read())"
    return Child(name, (sys.executable, "-c", program, name, "main"), **more)
"""


def wait_for(happened: Callable[[], bool], what: str, *, show: Callable[[], object] = str) -> None:
    deadline = time.monotonic() + 240
    while not happened():
        assert time.monotonic() < deadline, f"waited in vain for {what}: {show()}"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    """True if the process runs; a zombie that nobody reaped does not."""
    try:
        os.kill(pid, 0)
        stat = Path(f"/proc/{pid}/stat")
        return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def processes_of(path: Path) -> set[int]:
    """Every process whose environment names this data folder."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # ended by now
            if f"MAILOPS_DATA={path}".encode() in (process / "environ").read_bytes().split(b"\0"):
                found.add(int(process.name))
    return found


def kill_all_of(path: Path) -> None:
    """End all of them, also those that were started a moment ago."""
    while pids := processes_of(path):
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


class Scene:
    """A supervisor in a process of its own, its children's log, and files by which a test tells a
    child what to do.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.said = path / "said"
        (path / "child.py").write_text(CHILD)

    def run(self, supervisor: str) -> None:
        program = KEEPER + textwrap.dedent(
            f"supervisor = {supervisor}\nsupervisor.listen()\nsupervisor.run()\n"
        )
        with self.said.open("w") as said:
            self.keeper = subprocess.Popen(
                [sys.executable, "-c", program, str(self.path)],
                cwd=BASE_DIR,
                env=os.environ | {"MAILOPS_DATA": str(self.path)},
                stdout=said,
                stderr=said,
            )

    def tell(self, file: str) -> None:
        (self.path / file).touch()

    def log(self, start: str = "") -> list[str]:
        log = self.path / "log"
        return (
            [line for line in log.read_text().splitlines() if line.startswith(start)]
            if log.exists()
            else []
        )

    def report(self) -> str:
        return "\n".join([*self.log(), self.said.read_text()])

    def wait_log(self, start: str, *, times: int = 1) -> list[int]:
        """The process ids in the lines that start so, once there are that many."""
        wait_for(lambda: len(self.log(start)) >= times, f"{times} × {start}", show=self.report)
        return [int(line.split()[-1]) for line in self.log(start)]

    def wait_reads(self, more: int) -> None:
        reads = self.path / "reads"
        size = reads.stat().st_size if reads.exists() else 0
        wait_for(
            lambda: reads.exists() and reads.stat().st_size >= size + more,
            f"{more} reads of the heartbeat",
        )

    def wait_end(self) -> int:
        wait_for(lambda: self.keeper.poll() is not None, "the supervisor's end", show=self.report)
        return self.keeper.returncode

    @property
    def pids(self) -> set[int]:
        return {int(line.split()[-1]) for line in self.log()}

    def wait_gone(self, pids: set[int] | list[int]) -> None:
        wait_for(
            lambda: not any(is_alive(pid) for pid in pids), f"the end of {pids}", show=self.report
        )


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    scene = Scene(tmp_path)
    yield scene
    kill_all_of(tmp_path)
    scene.keeper.wait()


def test_a_crashed_child_is_started_again_and_nothing_of_the_old_one_is_left(scene: Scene) -> None:
    scene.run("Supervisor([child('web', grace=10)])")
    old = scene.wait_log("web main started") + scene.wait_log("web helper started")
    scene.tell("web-crash")
    scene.wait_log("web main started", times=2)
    scene.wait_gone(old)
    assert (
        "Web ended unexpectedly (exit code 3); starting it again in 1 s." in scene.said.read_text()
    )


def test_a_child_whose_main_process_was_killed_leaves_no_orphans(scene: Scene) -> None:
    scene.run("Supervisor([child('worker', grace=10)])")
    main, helper = scene.wait_log("worker main started") + scene.wait_log("worker helper started")
    os.kill(main, signal.SIGKILL)
    scene.wait_log("worker main started", times=2)
    scene.wait_gone([main, helper])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_stop_reaches_main_alone_and_is_waited_for(scene: Scene, number: int) -> None:
    scene.run("Supervisor([child('worker', grace=60, beats=True)])")
    scene.wait_log("worker helper started")
    scene.keeper.send_signal(number)
    scene.wait_log("worker main signalled")
    wait_for(lambda: "Waiting for orders in flight" in scene.said.read_text(), "word that it waits")
    assert scene.keeper.poll() is None
    scene.tell("worker-may-stop")
    assert scene.wait_end() == 0
    scene.wait_gone(scene.pids)
    assert scene.log("worker main stopped")
    assert not scene.log("worker helper signalled")


def test_what_others_need_while_they_stop_stops_last(scene: Scene) -> None:
    scene.run(
        "Supervisor([child('practice', grace=60, last=True), child('worker', grace=60),"
        " child('web', grace=60)])"
    )
    for name in ("practice", "worker", "web"):
        scene.wait_log(f"{name} main started")
    scene.tell("practice-may-stop")
    scene.tell("web-may-stop")
    scene.keeper.terminate()
    scene.wait_log("worker main signalled")
    scene.wait_log("web main stopped")
    assert not scene.log("practice main signalled")
    scene.tell("worker-may-stop")
    assert scene.wait_end() == 0
    mains = [line.rsplit(" ", 1)[0] for line in scene.log() if " main " in line]
    assert mains.index("worker main stopped") < mains.index("practice main signalled")


def test_the_end_of_the_grace_kills_the_whole_session(scene: Scene) -> None:
    scene.run("Supervisor([child('worker', grace=0.3)])")
    scene.wait_log("worker helper started")
    scene.keeper.terminate()
    assert scene.wait_end() == 0
    scene.wait_gone(scene.pids)
    assert not scene.log("worker main stopped")


def test_a_second_interrupt_stops_at_once(scene: Scene) -> None:
    scene.run(
        "Supervisor([child('practice', grace=3600, last=True), child('worker', grace=3600,"
        " beats=True)])"
    )
    scene.wait_log("worker helper started")
    scene.wait_log("practice helper started")
    scene.keeper.send_signal(signal.SIGINT)
    wait_for(lambda: "Waiting for orders in flight" in scene.said.read_text(), "word that it waits")
    scene.keeper.send_signal(signal.SIGINT)
    assert scene.wait_end() == 0
    scene.wait_gone(scene.pids)


def test_one_interrupt_passed_on_by_a_parent_counts_once(scene: Scene) -> None:
    scene.run("Supervisor([child('worker', grace=3600, beats=True)])")
    scene.wait_log("worker helper started")
    scene.keeper.send_signal(signal.SIGINT)
    scene.keeper.send_signal(signal.SIGTERM)
    scene.wait_log("worker main signalled")
    scene.keeper.send_signal(signal.SIGTERM)
    wait_for(lambda: "Waiting for orders in flight" in scene.said.read_text(), "word that it waits")
    scene.tell("worker-may-stop")
    assert scene.wait_end() == 0
    assert scene.log("worker main stopped")


@pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux tells a child of its parent's death"
)
def test_a_killed_supervisor_leaves_no_child_running(scene: Scene) -> None:
    scene.run("Supervisor([child('worker', grace=10), child('web', grace=10)])")
    mains = scene.wait_log("worker main started") + scene.wait_log("web main started")
    scene.tell("worker-may-stop")
    scene.tell("web-may-stop")
    scene.keeper.kill()
    scene.wait_gone(mains)
    assert scene.log("worker main stopped")


def test_a_hung_worker_is_killed_and_started_again(scene: Scene) -> None:
    scene.run("Supervisor([child('worker', grace=10, beats=True)], last_beat=last_beat, stale=2)")
    old = scene.wait_log("worker main started") + scene.wait_log("worker helper started")
    scene.wait_reads(8)  # longer than the worker may go without
    assert len(scene.log("worker main started")) == 1
    scene.tell("worker-hang")
    scene.wait_log("worker main started", times=2)
    scene.wait_gone(old)
    assert (
        "Worker runs, but finished no task for 2 s; starting it again in 1 s."
        in scene.said.read_text()
    )


def test_a_worker_that_never_beats_is_started_again(scene: Scene) -> None:
    scene.tell("worker-hang")
    scene.run("Supervisor([child('worker', grace=10, beats=True)], last_beat=last_beat, stale=2)")
    scene.wait_log("worker main started", times=2)


def test_a_worker_that_hangs_is_seen_though_another_beats(scene: Scene) -> None:
    scene.run(
        "Supervisor([child('worker', grace=10, beats=True), child('asks', grace=10, beats=True)],"
        " last_beat=last_beat, stale=2)"
    )
    scene.wait_log("worker main started")
    scene.wait_log("asks main started")
    scene.tell("asks-hang")
    scene.wait_log("asks main started", times=2)
    assert len(scene.log("worker main started")) == 1
    assert "Asks runs, but finished no task for 2 s" in scene.said.read_text()


def test_a_heartbeat_that_cannot_be_read_says_nothing_about_the_worker(scene: Scene) -> None:
    scene.tell("worker-hang")
    scene.tell("no-database")
    scene.run("Supervisor([child('worker', grace=10, beats=True)], last_beat=last_beat, stale=2)")
    scene.wait_log("worker main started")
    scene.wait_reads(8)
    assert len(scene.log("worker main started")) == 1
    (scene.path / "no-database").unlink()
    scene.wait_log("worker main started", times=2)


def test_a_step_returns_its_exit_code_and_all_it_printed() -> None:
    program = "import sys; print('out', flush=True); print('err', file=sys.stderr); sys.exit(4)"
    assert Supervisor([]).step((sys.executable, "-c", program)) == (4, "out\nerr")


def practice_environment(path: Path, port: int) -> dict[str, str]:
    """A practice installation of its own in that folder, whatever the tests themselves run on."""
    ours = (
        "DJANGO_SETTINGS_MODULE",
        "DATABASE_URL",
        "MAILOPS_PRACTICE_URL",
        "PRACTICE_PORT",
        "HOST",
    )
    inherited = {name: value for name, value in os.environ.items() if name not in ours}
    set_here = {
        "PORT": str(port),
        "MAILOPS_DATA": str(path),
        "MAILOPS_LIVE": "0",
        "MAILOPS_ENV_FILE": os.devnull,
    }
    return inherited | set_here


def test_a_taken_port_is_told_in_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = subprocess.run(
            [sys.executable, "-m", "mailops.supervisor"],
            cwd=BASE_DIR,
            env=practice_environment(tmp_path, port),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert ended.stderr.startswith(
        f"Port {port} is taken by another program. Start MailOps on another one: make run PORT="
    )
    assert not (tmp_path / "mailops.sqlite3").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_everything_starts_and_leaves_nothing_behind(tmp_path: Path, number: int) -> None:
    port, _practice = free_ports(2)
    said = tmp_path / "said"
    with said.open("w") as output:
        keeper = subprocess.Popen(
            [sys.executable, "-m", "mailops.supervisor"],
            cwd=BASE_DIR,
            env=practice_environment(tmp_path, port),
            stdout=output,
            stderr=output,
        )
    try:
        ready = f"MailOps is ready: http://127.0.0.1:{port}/"
        wait_for(
            lambda: ready in said.read_text() or keeper.poll() is not None,
            "readiness",
            show=said.read_text,
        )
        assert keeper.poll() is None, said.read_text()
        assert len(processes_of(tmp_path)) > 3
        keeper.send_signal(number)
        keeper.wait(timeout=60)
        wait_for(lambda: not processes_of(tmp_path), "the end of all processes")
        assert keeper.returncode in (0, -signal.SIGKILL)
    finally:
        kill_all_of(tmp_path)
        keeper.wait()
