"""Comments on an order, in plain text. @name notifies a person."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme

from orders.admin.order_pages import load, render, url
from orders.models import State
from orders.review import comments

MAX_NAMES_LISTED = 40


class CommentForm(forms.Form):
    """A comment."""

    comment = forms.CharField(
        label="Comment",
        max_length=comments.LONGEST_COMMENT,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=(
            "Write @ before somebody’s user name to tell them. It stays in the history and can’t be"
            " changed."
        ),
    )

    def clean_comment(self) -> str:
        text: str = self.cleaned_data["comment"]
        # A name that nobody has is likely misspelled, and the person would wait for an answer.
        try:
            comments.named(text)
        except comments.NobodyCalled as error:
            raise forms.ValidationError(str(error)) from None
        return text


def write(request: HttpRequest, pk: int) -> HttpResponse:
    """GET shows the form alone. POST adds the comment and redirects to `next` of the form."""
    order = load(request, pk)
    user = request.user
    if not user.has_perm("orders.comment_order"):
        raise PermissionDenied
    assert isinstance(user, User)
    form = CommentForm(request.POST if request.method == "POST" else None)
    back = request.POST.get("next", "")
    # No host is allowed, so the redirect stays on this site.
    if not url_has_allowed_host_and_scheme(back, allowed_hosts=None):
        back = url(order)
    if form.is_bound and form.is_valid():
        comments.write(order.pk, by=user, text=form.cleaned_data["comment"])
        messages.success(request, f"Your comment on {order} is in its history.")
        return redirect(f"{back}#comments")
    context = {
        "title": f"Comment on {order}",
        "form": form,
        "next": back,
        # one more than are listed, so that the template sees that there are more
        "names": [person.get_username() for person in comments.readers()[: MAX_NAMES_LISTED + 1]],
        "comments": comments.of(order),
        "is_waiting": order.state == State.REVIEW,
    }
    response = render(request, "comment.html", order, **context)
    response.status_code = 400 if form.is_bound else 200
    return response
