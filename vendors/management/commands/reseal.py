"""`manage.py reseal`: move every stored secret to the first key of MAILOPS_SEAL_KEYS."""

from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError

from mailops.core.sealed import CannotOpen, Sealed
from mailops.history import audited, record


class Command(BaseCommand):
    help = (
        "Seal every stored key and password with the first key, so that the older keys can be taken"
        " away."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        # Every model with sealed text, of whichever app: a model left out would lose its secrets
        # once the older keys are taken away.
        count = 0
        models = [
            model
            for model in apps.get_models()
            if any(f.name == "sealed" for f in model._meta.get_fields())
        ]
        try:
            # One transaction for all: after a failure every row still has its older seal.
            with audited():
                for model in models:
                    for row in model._default_manager.exclude(sealed="").select_for_update():
                        resealed = str(Sealed(row.sealed).reseal())  # type: ignore[attr-defined]
                        model._default_manager.filter(pk=row.pk).update(sealed=resealed)
                        count += 1
                if count:
                    changes = {"rows": [None, count]}
                    record(
                        "secrets.resealed",
                        None,
                        subject_text="All stored keys and passwords",
                        changes=changes,
                    )
        except CannotOpen as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{count} rows are sealed with the newest key.")
