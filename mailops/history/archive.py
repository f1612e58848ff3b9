"""Archives: the oldest events, moved to files. The chain begins after the last of them."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone

from mailops.core import sql_triggers


class Archive(models.Model):
    """One file of archived events, and the hash after which the chain continues."""

    first = models.BigIntegerField()
    last = models.BigIntegerField(unique=True)
    previous_hash = models.CharField(max_length=64, blank=True)
    last_hash = models.CharField(max_length=64)
    file = models.CharField(max_length=300)
    sha256 = models.CharField(max_length=64)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["last"]
        default_permissions = ()

    def __str__(self) -> str:
        return f"records {self.first} to {self.last}"

    @property
    def says(self) -> str:
        return (
            f"Records {self.first} to {self.last} are archived in {self.file}, sha256"
            f" {self.sha256}."
        )


TRIGGERS = sql_triggers.append_only("history_archive", "Archives of the history are kept for good")
