"""Fault points: named places where a drill may kill or freeze the process."""

import os
import signal

DRILLS = (("MAILOPS_DRILL_KILL_AT", signal.SIGKILL), ("MAILOPS_DRILL_STOP_AT", signal.SIGSTOP))


def point(name: str) -> None:
    """Kill or stop this process if the environment names the point. Otherwise do nothing."""
    # SIGKILL leaves no chance to clean up, like a power cut. SIGSTOP lasts until a SIGCONT.
    for variable, how in DRILLS:
        if os.environ.get(variable) == name:
            os.kill(os.getpid(), how)
