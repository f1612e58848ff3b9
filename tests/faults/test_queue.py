"""The queue rings twice, too late, never, or in another's name: each order is sent once."""

from __future__ import annotations

from tests.faults.expectations import expect, run_to_end
from tests.faults.installation import IS_POSTGRES, second_host
from tests.faults.processes import wait_for
from tests.faults.scenarios import DrillInstallation


def test_the_same_task_ten_times(installation: DrillInstallation) -> None:
    order = installation.order("rung")
    installation.ask("enqueue", order=order, times=10)
    with installation.cluster(QUEUE_WORKERS="4"):
        installation.wait_state("accepted", order)
        installation.ask("enqueue", order=order, times=10)
        facts = run_to_end(installation, cluster=False)
    expect(installation, "the same task twenty times", order, facts, ends={"accepted"}, charges=1)


def test_retry_is_shorter_than_the_task(installation: DrillInstallation) -> None:
    """The queue hands the task out again and again while a worker has the order in hand."""
    order = installation.order("slow")
    with installation.cluster("--skip-checks", QUEUE_WORKERS="4", QUEUE_RETRY="1") as cluster:
        wait_for(
            lambda: cluster.output().count("processing") >= 2,
            "it to run twice",
            show=cluster.output,
        )
        facts = run_to_end(installation, cluster=False)
    expect(
        installation, "retry is shorter than the task", order, facts, ends={"accepted"}, charges=1
    )


def test_two_clusters_share_the_orders(installation: DrillInstallation) -> None:
    """On PostgreSQL as if on two hosts: each with a data folder of its own and the same keys."""
    apart = second_host(installation) if IS_POSTGRES else {}
    orders: list[int] = []
    with (
        installation.cluster(QUEUE_WORKERS="2") as one,
        installation.cluster(QUEUE_WORKERS="2", **apart) as other,
    ):
        while not orders or not both_worked(installation, one.pids("worker"), other.pids("worker")):
            assert len(orders) < 300, "only one of them does anything"
            orders += [
                installation.order("shared", account=f"Shared {number % 10}")
                for number in range(60)
            ]
            installation.wait_state("accepted", *orders)
        facts = run_to_end(installation, cluster=False)
    bodies = {
        attempt["body_sha256"] for attempt in facts["attempts"] if attempt["order_id"] in orders
    } - {""}
    charged = [
        charge for charge in installation.ledger()["charges"] if charge["body_sha256"] in bodies
    ]
    assert {facts["states"][str(order)] for order in orders} == {"accepted"}
    assert len(charged) == len(orders)
    where = "two hosts share 60 orders" if IS_POSTGRES else "two clusters share 60 orders"
    expect(installation, where, orders[-1], facts, ends={"accepted"}, charges=1)


def both_worked(installation: DrillInstallation, *clusters: list[int]) -> bool:
    workers = {
        int(attempt["worker"].rpartition("/")[2]) for attempt in installation.ask("attempts")
    }
    return all(workers & set(pids) for pids in clusters)


def test_rows_of_the_queue_are_deleted_by_hand(installation: DrillInstallation) -> None:
    order = installation.order("lost")
    assert installation.ask("lose_queue") >= 1
    assert installation.ask("run_sweep", hours=1)["rung"] == 1
    with installation.cluster():
        installation.wait_state("accepted", order)
        facts = run_to_end(installation, cluster=False)
    expect(
        installation,
        "rows of the queue deleted by hand",
        order,
        facts,
        ends={"accepted"},
        charges=1,
    )


def test_a_task_that_nobody_can_unpickle_stands_in_front(installation: DrillInstallation) -> None:
    installation.ask("queue_what_nobody_can_unpickle")
    order = installation.order("behind")
    with installation.cluster() as cluster:
        cluster.wait_output("reincarnated pusher")
        installation.wait_state("accepted", order)
    assert installation.ask("lose_queue") >= 1
    facts = run_to_end(installation)
    expect(
        installation,
        "a task in front that nobody can unpickle",
        order,
        facts,
        ends={"accepted"},
        charges=1,
    )


def test_the_secret_key_changes_with_tasks_queued(installation: DrillInstallation) -> None:
    """The queue throws the task away; the sweep rings again."""
    order = installation.order("signed")
    installation.env["SECRET_KEY"] = "another-secret-key-" * 4
    installation.restart_agent()
    with installation.cluster() as cluster:
        wait_for(
            lambda: not installation.ask("queued")["tasks"],
            "the task to vanish",
            show=cluster.output,
        )
        assert installation.state(order) == "confirmed"
        assert installation.ask("run_sweep", hours=1)["rung"] == 1
        installation.wait_state("accepted", order)
        facts = run_to_end(installation, cluster=False)
    expect(
        installation,
        "SECRET_KEY changed with tasks queued",
        order,
        facts,
        ends={"accepted"},
        charges=1,
    )
