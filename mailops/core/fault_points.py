"""Named points at which a drill may kill or freeze the process; inert unless the environment names
one.
"""

import os
import signal

DRILLS = (("MAILOPS_DRILL_KILL_AT", signal.SIGKILL), ("MAILOPS_DRILL_STOP_AT", signal.SIGSTOP))


def point(name: str) -> None:
    """Die here without warning, as a power cut would have it, or freeze here until somebody sends
    SIGCONT.
    """
    for variable, how in DRILLS:
        if os.environ.get(variable) == name:
            os.kill(os.getpid(), how)
