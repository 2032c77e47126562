"""What is learnt from, chosen by and judged on: three parts of a data set that share nothing."""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple


class Split(NamedTuple):
    """To learn from, to choose by, to be judged on."""

    train: Sequence  # words or pairs; or a text, a sequence of characters
    validation: Sequence
    test: Sequence

    def part_of(self, text: str, *, held: int = 1) -> list:
        """Of a split into lists, the one where what is known by this text belongs.

        Of twenty, `held` are for validation and as many for the test: more than 1 where texts are so few that
        one in twenty says little. It follows from the sha256 of the text alone, so it never changes, whatever
        else there is.
        """
        twentieth = int(hashlib.sha256(text.encode()).hexdigest(), 16) % 20
        return self.validation if twentieth < held else self.test if twentieth < 2 * held else self.train
