"""The yardstick: the same requests from as many processes that do nothing else."""

from __future__ import annotations

import multiprocessing
import time
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from typing import Any

import requests

KEY = "practice-bare-loop"  # an account of its own in the practice vendors' ledger


def seconds(posts: list[dict[str, Any]], *, processes: int) -> float:
    """How long they take together, from the first request to the last answer.

    The processes start beforehand.
    """
    spawn = multiprocessing.get_context("spawn")
    ready, times = spawn.Barrier(processes), spawn.Queue()
    shares = [posts[number::processes] for number in range(processes)]
    running = [
        spawn.Process(target=_post_all, args=(share, ready, times), daemon=True) for share in shares
    ]
    for process in running:
        process.start()
    begun_and_ended = [times.get(timeout=600 + len(posts)) for _ in running]
    for process in running:
        process.join()
    return max(ended for _begun, ended in begun_and_ended) - min(
        begun for begun, _ended in begun_and_ended
    )


def _post_all(
    posts: list[dict[str, Any]], ready: Barrier, times: Queue[tuple[float, float]]
) -> None:
    ready.wait(timeout=300)
    begun = time.monotonic()  # the same clock in every process of a machine
    for post in posts:
        requests.post(**post, timeout=60).raise_for_status()
    times.put((begun, time.monotonic()))
