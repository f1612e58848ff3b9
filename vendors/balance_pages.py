"""Acts about an account's money: letting it go on after "no funds", and forgetting its balance."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse

from mailops.auth import reauthentication
from mailops.core.money import show
from mailops.history import audited, record
from vendors.models import Vendor


def _account(request: HttpRequest, pk: int) -> Vendor:
    if not request.user.has_perm("vendors.test_vendor"):
        raise PermissionDenied
    return get_object_or_404(Vendor, pk=pk)


def _back(pk: int) -> HttpResponse:
    return redirect(reverse("admin:vendors_vendor_change", args=[pk]))


@reauthentication.before("Let sending to this account go on")
def let_go_on(request: HttpRequest, pk: int) -> HttpResponse:
    """Orders of an account go on that the vendor had refused for want of money."""
    _account(request, pk)
    with audited():
        # Read under the lock: a worker may be noting the next refusal.
        vendor = Vendor.objects.locked(pk)
        if not vendor.lacks_funds:
            messages.info(request, f"{vendor.name} was not held for want of money any more.")
            return _back(pk)
        said = vendor.no_funds_said
        vendor.let_funds_go_on()
        record("vendor.funds_let_go_on", vendor, changes={"no_funds": [said, ""]})
    messages.success(
        request, f"Sending to {vendor.name} goes on. Waiting orders go out within a minute."
    )
    return _back(pk)


@reauthentication.before("Forget the balance of this account")
def forget_balance(request: HttpRequest, pk: int) -> HttpResponse:
    """No balance is known any more, so that no order waits for one."""
    _account(request, pk)
    with audited():
        vendor = Vendor.objects.locked(pk)
        if vendor.balance is None:
            messages.info(request, f"No balance is noted for {vendor.name}.")
            return _back(pk)
        before = show(vendor.balance, vendor.balance_currency)
        vendor.forget_balance()
        record("vendor.balance_forgotten", vendor, changes={"balance": [before, ""]})
    messages.success(
        request,
        f"The balance of {vendor.name} is not known any more. No order waits for it.",
    )
    return _back(pk)
