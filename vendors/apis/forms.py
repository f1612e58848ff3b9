"""The base form of a product's options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms


class OptionsForm(forms.Form):
    """The options of one product. Cleaned values are plain JSON: strings, whole numbers, booleans.

    `price_choices` names choice fields whose choices are the account's price items under a prefix:
    {"price_id": "package."} offers every item "package.X" as the value "X".
    """

    price_choices: ClassVar[Mapping[str, str]] = {}
    # For the person who confirms: field -> value -> a line on what the value means; "*" is any.
    meanings: ClassVar[Mapping[str, Mapping[Any, str]]] = {}
    # Field -> the words where it is left empty, if they are others than "None".
    empty_words: ClassVar[Mapping[str, str]] = {}

    def offer(self, items: Mapping[str, str]) -> None:
        """Fill the choice fields named in `price_choices` from the price list (item -> label)."""
        for name, prefix in self.price_choices.items():
            chosen = [
                (key.removeprefix(prefix), label)
                for key, label in items.items()
                if key.startswith(prefix)
            ]
            choice = self.fields[name]
            assert isinstance(choice, forms.ChoiceField)
            choice.choices = [("", "Choose"), *chosen]
