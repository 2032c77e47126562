"""The quiz of every chapter can be answered: the page makes buttons of it, and judges by its form."""

import re

import pytest
from chapters import CHAPTERS, blocks, prose, words

from tasks import notebooks


def problems(text: str) -> list[str]:
    """What is wrong with the quiz in a chapter's Markdown.

    Questions **1.**, **2.** …, each with one list of options and one folded answer that names one of them.
    """
    parts = quiz(text)
    form = "".join(map(letter, parts))
    if not re.fullmatch(r"(?:N[PC]*LDN[PC]*E)+", form):
        return [f"it is not a row of question, options, folded answer (it reads {form})"]
    numbers = [int(re.match(r"\*\*(\d+)", words(part))[1]) for part in parts if letter(part) == "N"]
    asked, answers = numbers[::2], numbers[1::2]
    options = [len(part.children) for part in parts if part.type == "ordered_list"]
    return ([] if asked == list(range(1, len(asked) + 1)) else [f"its questions are numbered {asked}"]) + [
        f"question {question} has {count} options, and its answer names number {answer}"
        for question, answer, count in zip(asked, answers, options, strict=True)
        if count < 2 or not 1 <= answer <= count
    ]


def quiz(text):
    """The blocks under its heading."""
    found, inside = [], False
    for block in blocks(text):
        if block.type == "heading" and block.tag in ("h1", "h2"):
            inside = words(block) == "Quiz"
        elif inside:
            found.append(block)
    return found


def letter(block):
    """N numbered paragraph, P paragraph, C code, L options, D and E where an answer begins and ends."""
    if re.match(r"\*\*\d+\.\*\*", words(block)):
        return "N"
    folded = {"<details><summary>Answer</summary>": "D", "</details>": "E"}
    kinds = {"paragraph": "P", "fence": "C", "ordered_list": "L"}
    return (
        folded.get(block.content.strip(), "?") if block.type == "html_block" else kinds.get(block.type, "?")
    )


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter(path):
    assert problems(prose(notebooks.load(path))) == []


GOOD = """## Quiz

**1.** Which one?

1. this
2. that

<details><summary>Answer</summary>

**2.** Because it is.

</details>

## Sources

1. a list that belongs to no question
"""


def test_a_good_quiz_passes():
    assert problems(GOOD) == []


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("## Quiz", "## Questions", "it is not a row"),
        ("**1.** Which", "Which", "reads PLDNE"),
        ("**1.** Which", "**2.** Which", "numbered [2]"),
        ("1. this\n2. that\n\n<", "<", "reads NDNE"),
        ("1. this\n2. that\n\n<", "1. this\n\nor\n\n1. that\n\n<", "reads NLPLDNE"),
        ("1. this\n2. that\n\n<", "1. this\n\n<", "has 1 options"),
        ("**2.** Because", "Because", "reads NLDPE"),
        ("**2.** Because", "**3.** Because", "names number 3"),
        ("</details>", "", "reads NLDN"),
        ("</details>", "</details>\n\n**2.** Another?", "reads NLDNEN"),
    ],
)
def test_a_spoilt_quiz_does_not(old, new, complaint):
    assert old in GOOD
    (problem,) = problems(GOOD.replace(old, new))
    assert complaint in problem
