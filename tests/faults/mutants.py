"""All mutants, each with the promise that it would break and the tests that must notice.

`make mutations` tries them; `docs/safety.md` lists them in the same words.
"""

from __future__ import annotations

from tests.faults.mutants_of_answers import ANSWER_MUTANTS
from tests.faults.mutants_of_counted_cost import COUNTED_MUTANTS
from tests.faults.mutants_of_created_orders import CREATED_MUTANTS
from tests.faults.mutants_of_delivery import DELIVERY_MUTANTS
from tests.faults.mutants_of_money import MONEY_MUTANTS
from tests.faults.mutants_of_progress import PROGRESS_MUTANTS
from tests.faults.mutants_of_questions import QUESTION_MUTANTS
from tests.faults.mutants_of_rules import RULE_MUTANTS
from tests.faults.mutants_of_sending import SENDING_MUTANTS
from tests.faults.mutants_of_wording import WORDING_MUTANTS
from tests.faults.mutants_of_words import WORD_MUTANTS
from tests.faults.mutation import Mutation

__all__ = ["MUTATIONS", "Mutation"]

MUTATIONS = (
    ANSWER_MUTANTS
    + COUNTED_MUTANTS
    + CREATED_MUTANTS
    + DELIVERY_MUTANTS
    + MONEY_MUTANTS
    + PROGRESS_MUTANTS
    + QUESTION_MUTANTS
    + RULE_MUTANTS
    + SENDING_MUTANTS
    + WORD_MUTANTS
    + WORDING_MUTANTS
)
