"""The queue rings twice, too late, never, or in another's name: each order is sent once."""

from __future__ import annotations

from tests.faults.installation import IS_POSTGRES, House, second_host, wait_for


def test_the_same_task_ten_times(house: House) -> None:
    order = house.order("rung")
    house.ask("enqueue", order=order, times=10)
    with house.cluster(QUEUE_WORKERS="4"):
        house.wait_state("accepted", order)
        house.ask("enqueue", order=order, times=10)
        facts = house.close_books(cluster=False)
    house.expect("the same task twenty times", order, facts, end="accepted", charges=1)


def test_retry_is_shorter_than_the_task(house: House) -> None:
    """The queue hands the task out again and again while a worker has the order in hand."""
    order = house.order("slow")
    with house.cluster("--skip-checks", QUEUE_WORKERS="4", QUEUE_RETRY="1") as cluster:
        wait_for(
            lambda: cluster.said().count("processing") >= 2, "it to run twice", show=cluster.said
        )
        facts = house.close_books(cluster=False)
    house.expect("retry is shorter than the task", order, facts, end="accepted", charges=1)


def test_two_clusters_share_the_orders(house: House) -> None:
    """On PostgreSQL as if on two hosts: each with a data folder of its own and the same keys."""
    apart = second_host(house) if IS_POSTGRES else {}
    orders: list[int] = []
    with (
        house.cluster(QUEUE_WORKERS="2") as one,
        house.cluster(QUEUE_WORKERS="2", **apart) as other,
    ):
        while not orders or not both_worked(house, one.pids("worker"), other.pids("worker")):
            assert len(orders) < 300, "only one of them does anything"
            orders += [
                house.order("shared", account=f"Shared {number % 10}") for number in range(60)
            ]
            house.wait_state("accepted", *orders)
        facts = house.close_books(cluster=False)
    bodies = {
        attempt["body_sha256"] for attempt in facts["attempts"] if attempt["order_id"] in orders
    } - {""}
    charged = [charge for charge in house.ledger()["charges"] if charge["body_sha256"] in bodies]
    assert {facts["states"][str(order)] for order in orders} == {"accepted"}
    assert len(charged) == len(orders)
    where = "two hosts share 60 orders" if IS_POSTGRES else "two clusters share 60 orders"
    house.expect(where, orders[-1], facts, end="accepted", charges=1)


def both_worked(house: House, *clusters: list[int]) -> bool:
    workers = {int(attempt["worker"].rpartition("/")[2]) for attempt in house.ask("attempts")}
    return all(workers & set(pids) for pids in clusters)


def test_rows_of_the_queue_are_deleted_by_hand(house: House) -> None:
    order = house.order("lost")
    assert house.ask("lose_queue") >= 1
    assert house.ask("run_sweep", hours=1)["rung"] == 1
    with house.cluster():
        house.wait_state("accepted", order)
        facts = house.close_books(cluster=False)
    house.expect("rows of the queue deleted by hand", order, facts, end="accepted", charges=1)


def test_a_task_that_nobody_can_unpickle_stands_in_front(house: House) -> None:
    house.ask("queue_what_nobody_can_unpickle")
    order = house.order("behind")
    with house.cluster() as cluster:
        cluster.wait_said("reincarnated pusher")
        house.wait_state("accepted", order)
    assert house.ask("lose_queue") >= 1
    facts = house.close_books()
    house.expect(
        "a task in front that nobody can unpickle", order, facts, end="accepted", charges=1
    )


def test_the_secret_key_changes_with_tasks_queued(house: House) -> None:
    """The queue throws the task away; the sweep rings again."""
    order = house.order("signed")
    house.env["SECRET_KEY"] = "another-secret-key-" * 4
    house.change_clerk()
    with house.cluster() as cluster:
        wait_for(lambda: not house.ask("queued")["tasks"], "the task to vanish", show=cluster.said)
        assert house.state(order) == "confirmed"
        assert house.ask("run_sweep", hours=1)["rung"] == 1
        house.wait_state("accepted", order)
        facts = house.close_books(cluster=False)
    house.expect("SECRET_KEY changed with tasks queued", order, facts, end="accepted", charges=1)
