"""Approving: by somebody else, once, exactly as proposed, and not after the row changed."""

from __future__ import annotations

import threading
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from mailops import checks
from mailops.auth import roles
from mailops.history.models import Event
from mailops.ops.diagnostics import findings
from mailops.proposals import workflow
from mailops.proposals.models import Proposal, State
from mailops.proposals.policies import HIDDEN
from mailops.proposals.workflow import NotAllowed
from orders.models import Client
from orders.outcomes import sweeper
from tests.conftest import OrderFactory
from tests.proposals.setting import WHY, proposed, signed_in
from tests.test_secrets import tables
from vendors.models import Vendor

KEY = "practice-KEYSENTINEL-key"


def more(factory: OrderFactory, *, by: User | None = None, **values: Any) -> Proposal:
    values = values or {"order_limit": "5000.00"}
    return proposed(
        factory.accounts["coldmailreseller"], by=by or factory.people.operator, **values
    )


def account() -> Vendor:
    return Vendor.objects.get(api="coldmailreseller")


def test_an_approved_limit_is_in_force_with_both_records(factory: OrderFactory) -> None:
    proposal = more(factory)
    workflow.approve(proposal.pk, by=factory.people.confirmer)
    assert account().order_limit == 5000
    changed, approved = Event.objects.order_by("-number")[:2][::-1]
    assert (changed.action, changed.who) == ("vendor.changed", "confirmer")
    assert changed.changes == {"order_limit": ["2000.00", "5000.00"]}
    assert changed.reason == f"Proposed by operator, approved by confirmer: {WHY}"
    assert approved.action == "proposal.approved"
    assert approved.changes == {"what": ["Order limit: $2,000.00 → $5,000.00"]}


@pytest.mark.parametrize("who", ["operator", "boss"])
def test_nobody_approves_their_own_superusers_included(factory: OrderFactory, who: str) -> None:
    person = getattr(factory.people, who)
    proposal = more(factory, by=person)
    page = f"/proposals/proposal/{proposal.pk}/"
    shown = signed_in(person).get(f"{page}change/").content.decode()
    assert "You proposed it, so somebody else has to approve it." in shown
    assert "Approve and apply" not in shown
    signed_in(person).post(f"{page}approve/")
    with pytest.raises(NotAllowed, match="You proposed it"):
        workflow.approve(proposal.pk, by=person)
    assert account().order_limit == 2000
    assert Event.objects.get(action="proposal.self_approval_refused").who == who


@pytest.mark.parametrize("who", ["drafter", "auditor"])
def test_whoever_may_not_approve_neither_approves_nor_declines(
    factory: OrderFactory, who: str
) -> None:
    proposal = more(factory)
    for door in ("approve", "decline", "withdraw"):
        page = f"/proposals/proposal/{proposal.pk}/{door}/"
        assert signed_in(getattr(factory.people, who)).post(page, {"why": "No."}).status_code == 403
    for deed in (workflow.approve, lambda pk, by: workflow.decline(pk, by=by, why="No.")):
        with pytest.raises(NotAllowed):
            deed(proposal.pk, by=getattr(factory.people, who))


@pytest.mark.parametrize("who", ["operator", "confirmer"])
def test_only_a_superuser_approves_rights(people: Any, who: str) -> None:
    proposal = proposed(
        people.drafter, by=people.boss, groups=sorted([roles.DRAFTER, roles.OPERATOR])
    )
    person = getattr(people, who)
    assert signed_in(person).get(f"/proposals/proposal/{proposal.pk}/change/").status_code == 404
    with pytest.raises(NotAllowed, match="Only another superuser"):
        workflow.approve(proposal.pk, by=person)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"order_limit": 100}, "Order limit was $2,000.00 and is now $100.00."),
        ({"limit_currency": "EUR"}, "Limit currency was USD and is now EUR."),
        ({"day_limit": 10}, "Day limit was none and is now $10.00."),
    ],
)
def test_what_changed_meanwhile_is_said_and_nothing_applied(
    factory: OrderFactory, changed: dict[str, Any], says: str
) -> None:
    proposal = more(factory)
    Vendor.objects.update(**changed)
    before = Vendor.objects.values().get(api="coldmailreseller")
    with pytest.raises(NotAllowed, match="has to be proposed anew") as refused:
        workflow.approve(proposal.pk, by=factory.people.confirmer)
    assert says in str(refused.value)
    assert (
        says
        in signed_in(factory.people.confirmer)
        .get(f"/proposals/proposal/{proposal.pk}/change/")
        .content.decode()
    )
    assert Vendor.objects.values().get(api="coldmailreseller") == before


def test_what_has_nothing_to_do_with_it_may_change_meanwhile(factory: OrderFactory) -> None:
    proposal = more(factory)
    Vendor.objects.update(hold_minutes=30, next_turn_at=timezone.now())
    workflow.approve(proposal.pk, by=factory.people.confirmer)
    assert (account().order_limit, account().hold_minutes) == (5000, 30)


def test_a_deleted_object_is_said(factory: OrderFactory) -> None:
    client = Client.objects.create(name="Gone", day_limit=10)
    proposal = proposed(client, by=factory.people.operator, day_limit=None)
    client.delete()
    with pytest.raises(NotAllowed, match="Gone was deleted meanwhile"):
        workflow.approve(proposal.pk, by=factory.people.confirmer)
    page = signed_in(factory.people.confirmer).get(f"/proposals/proposal/{proposal.pk}/change/")
    assert "which is gone" in page.content.decode()
    workflow.decline(proposal.pk, by=factory.people.confirmer, why="It is gone.")


def test_a_renamed_proposer_is_the_same_person_and_a_deleted_one_approves_nothing(
    factory: OrderFactory,
) -> None:
    proposal = more(factory)
    operator = factory.people.operator
    User.objects.filter(pk=operator.pk).update(username="renamed")
    with pytest.raises(NotAllowed, match="You proposed it"):
        workflow.approve(proposal.pk, by=User.objects.get(pk=operator.pk))
    operator.delete()
    with pytest.raises(NotAllowed, match="operator, who proposed it, is no user any more"):
        workflow.approve(proposal.pk, by=factory.people.confirmer)
    assert Proposal.objects.get().proposed_by_name == "operator"


def test_what_is_no_longer_allowed_is_not_applied(people: Any) -> None:
    """The rule came with a change that no value of the proposal shows."""
    proposal = proposed(
        people.drafter, by=people.boss, groups=sorted([roles.DRAFTER, roles.OPERATOR])
    )
    Group.objects.filter(name=roles.OPERATOR).update(name="Former operators")
    second = User.objects.create_superuser("second")
    with pytest.raises(NotAllowed, match="There is no role Operator any more"):
        workflow.approve(proposal.pk, by=second)


def test_declining_needs_a_reason_and_withdrawing_is_the_proposers(factory: OrderFactory) -> None:
    proposal = more(factory)
    page = f"/proposals/proposal/{proposal.pk}/"
    assert (
        signed_in(factory.people.confirmer).post(f"{page}decline/", {"why": " "}).status_code == 400
    )
    assert signed_in(factory.people.confirmer).post(f"{page}withdraw/").status_code == 403
    signed_in(factory.people.confirmer).post(f"{page}decline/", {"why": "Too much."})
    proposal.refresh_from_db()
    assert (proposal.state, proposal.decided_by_name, proposal.decided_why) == (
        "declined",
        "confirmer",
        "Too much.",
    )
    other = more(factory)
    signed_in(factory.people.operator).post(f"/proposals/proposal/{other.pk}/withdraw/")
    other.refresh_from_db()
    assert other.state == State.WITHDRAWN
    with pytest.raises(NotAllowed, match="It is withdrawn by operator already"):
        workflow.approve(other.pk, by=factory.people.confirmer)
    assert [event.reason for event in Event.objects.filter(action="proposal.declined")] == [
        "Too much."
    ]


def test_nobody_decides_and_it_lapses(factory: OrderFactory, settings: Any) -> None:
    old, new = more(factory), more(factory)
    days = timedelta(days=settings.PROPOSAL_DAYS, minutes=1)
    Proposal.objects.filter(pk=old.pk).update(proposed_at=timezone.now() - days)
    assert sweeper.run()["proposals"] == 1
    assert sweeper.run()["proposals"] == 0
    assert list(Proposal.objects.order_by("pk").values_list("state", flat=True)) == [
        "expired",
        "proposed",
    ]
    assert Event.objects.get(action="proposal.expired").subject_id == str(old.pk)
    assert new.is_waiting


def test_today_shows_what_waits_for_this_person_only(factory: OrderFactory) -> None:
    more(factory)
    heading = "Changes that wait for a second person"
    shown = {
        who: heading in signed_in(getattr(factory.people, who)).get("/").content.decode()
        for who in PEOPLE
    }
    assert shown == {
        "drafter": False,
        "confirmer": True,
        "operator": False,
        "auditor": False,
        "boss": True,
    }


PEOPLE = ("drafter", "confirmer", "operator", "auditor", "boss")


def test_one_person_alone_approves_what_was_left_and_it_is_marked(
    factory: OrderFactory, settings: Any
) -> None:
    proposal = more(factory)
    settings.ONE_PERSON = True
    workflow.approve(proposal.pk, by=factory.people.operator)
    proposal.refresh_from_db()
    assert (proposal.alone, account().order_limit) == (True, 5000)
    assert "marked as one-person" in Event.objects.get(action="vendor.changed").reason
    assert "marked as one-person" in Event.objects.get(action="proposal.approved").reason


def test_health_and_the_system_check_say_that_it_is_marked(db: None, settings: Any) -> None:
    assert checks.check_persons() == []
    settings.ONE_PERSON = True
    assert [found.id for found in checks.check_persons()] == ["mailops.I001"]
    assert [
        finding
        for finding in findings()
        if "marked as one-person" in finding.text and not finding.is_problem
    ]


# Secrets


def test_a_key_waits_sealed_is_never_shown_and_goes_with_the_decision(
    factory: OrderFactory,
) -> None:
    proposal = proposed(
        account(),
        by=factory.people.operator,
        secrets={"secret_api_key": KEY},
        secret_api_key=HIDDEN,
    )
    assert {place for place, text in tables() if "KEYSENTINEL" in text} == set()
    for page in ("", f"{proposal.pk}/change/"):
        shown = signed_in(factory.people.boss).get(f"/proposals/proposal/{page}").content.decode()
        assert "changed, not shown" in shown
        assert "KEYSENTINEL" not in shown
        assert "gAAAA" not in shown
    workflow.approve(proposal.pk, by=factory.people.confirmer)
    assert account().secrets.open()["api_key"] == KEY
    assert Proposal.objects.get().sealed == ""
    assert {place for place, text in tables() if "KEYSENTINEL" in text} == set()


def test_a_key_entered_anew_meanwhile_is_said_without_it(factory: OrderFactory) -> None:
    proposal = proposed(
        account(),
        by=factory.people.operator,
        secrets={"secret_api_key": KEY},
        secret_api_key=HIDDEN,
    )
    vendor = account()
    vendor.sealed = str(vendor.secrets.put({"api_key": "another-practice-key"}))
    vendor.save()
    with pytest.raises(NotAllowed, match=r"API key was stored and was entered anew\."):
        workflow.approve(proposal.pk, by=factory.people.confirmer)


def test_a_waiting_key_moves_to_a_new_seal_key(factory: OrderFactory, settings: Any) -> None:
    proposal = proposed(
        account(),
        by=factory.people.operator,
        secrets={"secret_api_key": KEY},
        secret_api_key=HIDDEN,
    )
    new = Fernet.generate_key().decode()
    settings.SEAL_KEYS = [new, *settings.SEAL_KEYS]
    call_command("reseal", stdout=StringIO())
    settings.SEAL_KEYS = [new]
    workflow.approve(proposal.pk, by=factory.people.confirmer)
    assert account().secrets.open()["api_key"] == KEY


def test_a_password_waits_as_a_hash_that_is_sealed(people: Any) -> None:
    hashed = make_password("correct-horse-PWSENTINEL")
    proposed(people.drafter, by=people.boss, secrets={"password": hashed}, password=HIDDEN)
    assert not [place for place, text in tables() if hashed in text or "PWSENTINEL" in text]


# In the database, and two at once


@pytest.mark.parametrize(
    "change",
    [
        {"state": "approved"},
        {"state": "approved", "decided_by": "proposer"},
        {"proposed_by": "other"},
        {"changes": []},
        {"based_on": {}},
        {"subject_id": "2"},
    ],
)
def test_the_database_refuses_to_turn_a_proposal_into_something_else(
    factory: OrderFactory, change: dict[str, Any]
) -> None:
    proposal = more(factory)
    who = {"proposer": factory.people.operator, "other": factory.people.confirmer}
    change = {
        name: who.get(value, value) if isinstance(value, str) else value
        for name, value in change.items()
    }
    with pytest.raises(IntegrityError), transaction.atomic():
        Proposal.objects.filter(pk=proposal.pk).update(**change)


def test_the_database_refuses_a_second_thought_and_a_proposal_that_is_born_approved(
    factory: OrderFactory,
) -> None:
    proposal = more(factory)
    workflow.decline(proposal.pk, by=factory.people.confirmer, why="No.")
    with pytest.raises(IntegrityError), transaction.atomic():
        Proposal.objects.filter(pk=proposal.pk).update(
            state="approved", decided_by=factory.people.boss
        )
    proposal.pk, proposal.state = None, State.APPROVED
    with pytest.raises(IntegrityError), transaction.atomic():
        proposal.save(force_insert=True)


def test_two_who_approve_at_once_apply_it_once(committed: None, factory: OrderFactory) -> None:
    """Each over a connection of its own."""
    proposal = more(factory)
    begin, outcomes = threading.Barrier(2), []

    def approve(by: User) -> None:
        begin.wait(20)
        try:
            workflow.approve(proposal.pk, by=by)
            outcomes.append("approved")
        except NotAllowed as error:
            outcomes.append(str(error))
        finally:
            connection.close()

    people = [factory.people.confirmer, factory.people.boss]
    threads = [threading.Thread(target=approve, args=[person]) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    late, won = sorted(outcomes, key=lambda word: word == "approved")
    assert won == "approved"
    assert "already" in late
    assert Event.objects.filter(action="proposal.approved").count() == 1
    assert Event.objects.filter(action="vendor.changed").count() == 1
