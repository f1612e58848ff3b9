"""Files on the draft page: their rows go into the box, the same file again is noticed; files to
take away.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import User
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse, QueryDict
from django.utils import timezone

from orders.admin.draft_form import joined
from orders.drafting.intake import MOST_BYTES, MOST_LINES, CannotRead, open_file
from orders.models import Upload
from vendors.apis.values import Product

MOST_FILES = 20  # of one draft


@dataclass
class Opened:
    """What came of a file: what a person should know, and what is wrong with it where it was not
    taken.
    """

    notes: list[dict[str, Any]] = field(default_factory=list)
    trouble: str = ""


def open_into(
    post: QueryDict, file: UploadedFile | None, *, by: User, product: Product
) -> Opened | None:
    """Put a chosen file's rows into the box, in place of what is there or below it; nothing is
    saved.
    """
    if file is None or not file.name:
        return (
            Opened(trouble="No file was chosen. Choose one and press “Open the file” again.")
            if "open" in post
            else None
        )
    if (file.size or 0) > MOST_BYTES:
        most = f"{MOST_BYTES // (1024 * 1024)} MB"
        return Opened(
            trouble=(
                f"{file.name} is larger than {most}. Share its rows out: one order takes"
                f" {MOST_LINES:,}."
            )
        )
    data = file.read()
    try:
        sheet = open_file(file.name, data)
        is_below = post.get("where") == "below"
        post["rows"] = joined(post.get("rows", ""), sheet.text, product) if is_below else sheet.text
    except CannotRead as error:
        return Opened(trouble=f"{file.name}: {error.message} {error.fix}".strip())
    earlier = [str(upload.pk) for upload in uploads(post, by=by)] if is_below else []
    upload = Upload.objects.note(name=file.name, data=data, by=by)
    rows = sum(1 for row in sheet.table if row)
    notes = [
        {
            "text": (
                f"{file.name} is in the box now: {rows:,} row{'' if rows == 1 else 's'}. Nothing is"
                " saved yet."
            )
        }
    ]
    if again := Upload.objects.same_as(upload, but=map(int, earlier)):
        notes.append(_seen_before(again))
    post.setlist("uploads", [*earlier, str(upload.pk)][-MOST_FILES:])
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
    """The files that were read on this page, as far as they are this person's."""
    numbers = [
        int(pk)
        for pk in post.getlist("uploads")[:MOST_FILES]
        if pk.isascii() and pk.isdecimal() and len(pk) < 18
    ]
    return list(Upload.objects.filter(pk__in=numbers, by=by).order_by("pk"))


def download(text: str, name: str) -> HttpResponse:
    """A CSV file to take away."""
    disposition = f'attachment; filename="{name}"'
    return HttpResponse(
        text, content_type="text/csv; charset=utf-8", headers={"Content-Disposition": disposition}
    )
