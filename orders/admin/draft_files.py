"""Files on the draft page: rows of uploads go into the paste box; lists are downloaded as CSV."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import User
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse, QueryDict
from django.utils import timezone

from mailops.core.text import plural
from orders.admin.draft_form import joined
from orders.drafting.intake import MOST_BYTES, MOST_LINES, CannotRead, open_file
from orders.models import Upload
from vendors.apis.values import Product

MAX_FILES_PER_DRAFT = 20


@dataclass
class Opened:
    """The result of opening a file: notes for the person, or in `trouble` why it was not taken."""

    notes: list[dict[str, Any]] = field(default_factory=list)
    trouble: str = ""


def open_into(
    post: QueryDict, file: UploadedFile | None, *, by: User, product: Product
) -> Opened | None:
    """Put the file's rows into `post["rows"]`, in place of the rows there or below them.

    None if the person neither chose a file nor asked to open one.
    """
    if file is None or not file.name:
        trouble = "No file was chosen. Choose one and press “Open the file” again."
        return Opened(trouble=trouble) if "open" in post else None
    if (file.size or 0) > MOST_BYTES:
        share_out = f"Share its rows out: one order takes {MOST_LINES:,}."
        most = f"{MOST_BYTES // (1024 * 1024)} MB"
        return Opened(trouble=f"{file.name} is larger than {most}. {share_out}")
    data = file.read()
    try:
        sheet = open_file(file.name, data)
        is_below = post.get("where") == "below"
        post["rows"] = joined(post.get("rows", ""), sheet.text, product) if is_below else sheet.text
    except CannotRead as error:
        return Opened(trouble=f"{file.name}: {error.message} {error.fix}".strip())
    # Rows that were replaced no longer come from the earlier files.
    earlier = [str(upload.pk) for upload in uploads(post, by=by)] if is_below else []
    upload = Upload.objects.note(name=file.name, data=data, by=by)
    rows = plural(sum(1 for row in sheet.table if row), "row")
    notes = [{"text": f"{file.name} is in the box now: {rows}. Nothing is saved yet."}]
    # The same file twice may mean that an order is placed twice.
    if again := Upload.objects.same_as(upload, but=map(int, earlier)):
        notes.append(_seen_before(again))
    post.setlist("uploads", [*earlier, str(upload.pk)][-MAX_FILES_PER_DRAFT:])
    return Opened([*notes, *({"text": note} for note in sheet.notes)])


def _seen_before(again: Upload) -> dict[str, Any]:
    at = timezone.localtime(again.at)
    words = f"This file was read on {at.day} {at:%b %Y, %H:%M} by {again.by_name}"
    if again.order is None:
        return {"text": f"{words}; no order was saved with it.", "kind": "info"}
    return {
        "text": f"{words} for order {again.order}. Do you want its rows a second time?",
        "order": again.order,
    }


def uploads(post: QueryDict, *, by: User) -> list[Upload]:
    """The files that were read into this form, oldest first."""
    # The form is the browser's word, so files of other people are left out.
    numbers = [
        int(pk)
        for pk in post.getlist("uploads")[:MAX_FILES_PER_DRAFT]
        if pk.isascii() and pk.isdecimal() and len(pk) < 18
    ]
    return list(Upload.objects.filter(pk__in=numbers, by=by).order_by("pk"))


def download(text: str, name: str) -> HttpResponse:
    disposition = f'attachment; filename="{name}"'
    return HttpResponse(
        text, content_type="text/csv; charset=utf-8", headers={"Content-Disposition": disposition}
    )
