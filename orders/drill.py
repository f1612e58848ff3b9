"""Named points at which a drill may kill the process; inert unless the environment names one."""

import os
import signal


def point(name: str) -> None:
    """Die here without warning if MAILOPS_DRILL_KILL_AT says so, as a power cut would have it."""
    if os.environ.get("MAILOPS_DRILL_KILL_AT") == name:
        os.kill(os.getpid(), signal.SIGKILL)
