"""The auditors' pages: is the history unbroken, and does a digest that was kept elsewhere fit?"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone

from mailops.core import sql_triggers
from mailops.core.text import chunks
from mailops.history import digest_files, verification_runs
from mailops.history.chain_breaks import explain
from mailops.history.models import ALL_TRIGGERS, Archive, Digest, Event, Verification
from mailops.history.verification_state import WHOLE
from mailops.history.verify import Finding, Point

MOST_BYTES = 256 * 1024


class DigestForm(forms.Form):
    text = forms.CharField(
        label="Paste a digest",
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3, "class": "mono", "spellcheck": "false"}),
        help_text=(
            "One line, as it was downloaded, mailed or noted: a record's number and its"
            " fingerprint."
        ),
    )
    file = forms.FileField(
        label="Or a file of digests", required=False, help_text="At most 256 KB, one digest a line."
    )

    points: list[Point]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if self.errors:
            return data
        text, file = data.get("text", "").strip(), data.get("file")
        if bool(text) == bool(file):
            raise forms.ValidationError("Paste one line, or choose a file.")
        if file and file.size > MOST_BYTES:
            raise forms.ValidationError("The file is larger than 256 KB.")
        lines = file.read().decode("utf-8", "replace").splitlines() if file else [text]
        try:
            self.points = (
                [digest_files.read(lines[0])] if len(lines) == 1 else digest_files.read_lines(lines)
            )
        except digest_files.BadDigest as bad:
            raise forms.ValidationError(str(bad)) from bad
        if not self.points:
            raise forms.ValidationError("There is no digest in it.")
        return data


def verify(request: HttpRequest, frame: dict[str, Any]) -> HttpResponse:
    """The result of the last verification. A POST verifies the whole history now."""
    _only_auditors(request)
    if request.method != "POST":
        return _page(request, frame, DigestForm())
    finding = verification_runs.check_whole(by=request.user.get_username())
    if finding.is_unbroken:
        took = f"{finding.seconds:.1f} seconds" if finding.seconds >= 0.1 else "no time"
        messages.success(request, f"Verified now: {finding.read:,} records read in {took}.")
    else:
        messages.error(request, "Verified now: the history is broken.")
    return redirect("admin:history_event_verify")


def compare(request: HttpRequest, frame: dict[str, Any]) -> HttpResponse:
    _only_auditors(request)
    if request.method != "POST":
        return redirect("admin:history_event_verify")
    form = DigestForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, frame, form, status=400)
    return _page(request, frame, DigestForm(), answer=_answer(form.points))


def download(request: HttpRequest) -> HttpResponse:
    _only_auditors(request)
    line = digest_files.current_line()
    if not line:
        raise Http404
    response = HttpResponse(f"{line}\n", content_type="application/json")
    name = f"mailops-history-{timezone.localdate():%Y-%m-%d}.jsonl"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _only_auditors(request: HttpRequest) -> None:
    if not request.user.has_perm("history.verify_event"):
        raise PermissionDenied


def _page(
    request: HttpRequest,
    frame: dict[str, Any],
    form: DigestForm,
    *,
    answer: Any = None,
    status: int = 200,
) -> HttpResponse:
    last = Verification.objects.filter(kind=WHOLE).first()
    broken = Verification.objects.broken()
    missing = sql_triggers.missing(connection, ALL_TRIGGERS)
    context = {
        "title": "Verify the history",
        "last": last,
        "broken": broken,
        "finding": _shown(broken, missing),
        "missing": missing,
        "explanation": explain(_shown(broken, missing)),
        "form": form,
        "answer": answer,
        "current": digest_files.current_line(),
        "digest": Digest.objects.order_by("-id").first(),
        "archives": Archive.objects.order_by("last"),
        "since": _since(last),
    }
    return TemplateResponse(
        request, "admin/history/event/verify.html", frame | context, status=status
    )


def _shown(broken: Verification | None, missing: list[str]) -> Finding:
    # The triggers are looked at now: the last run may have found others.
    if broken is None or broken.bad is None:
        return Finding(missing_triggers=missing)
    return Finding(records=max(broken.bad - 1, 0), bad=broken.bad, why=broken.why)


def _since(last: Verification | None) -> int:
    """Number of events that were added since the last verification."""
    end = digest_files.head()
    return max(0, (end[0] if end else 0) - last.records) if last else 0


def _answer(points: list[Point]) -> dict[str, Any]:
    """The template's answer about these digests. The first that does not fit decides."""
    numbers = [point.number for point in points]
    hashes = dict(_hashes(numbers))
    end = digest_files.head()
    begin = Archive.objects.order_by("-last").values_list("last", flat=True).first() or 0
    for point in sorted(points, key=lambda point: point.number):
        if hashes.get(point.number) == point.hash:
            continue
        # An archived event is not in the database, so nothing can be said about the digest.
        if point.number <= begin and point.number not in hashes:
            continue
        return {"fits": False, "point": point, "is_gone": end is None or point.number > end[0]}
    archived = sum(1 for number in numbers if number <= begin and number not in hashes)
    return {
        "fits": archived < len(points),
        "points": points,
        "archived": archived,
        "last": max(numbers),
    }


def _hashes(numbers: list[int]) -> list[tuple[int, str]]:
    found = list(Archive.objects.filter(last__in=numbers[:500]).values_list("last", "last_hash"))
    for some in chunks(numbers, 500):
        found += Event.objects.filter(number__in=some).values_list("number", "hash")
    return found
