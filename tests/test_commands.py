"""The command language: right answers, what is held out, and how a model is asked for it."""

from random import Random

import pytest
import torch
from torch import nn

from vec2gpt import commands as language
from vec2gpt.commands import ACTS, ASKED, KNOWN_PAIRS, NEW_ACTS, NEW_PAIRS, PAIRS, Command, commands
from vec2gpt.language import IGNORED
from vec2gpt.recipes.assistant import instructions
from vec2gpt.recipes.language import shakespeare

WORDS = ["thou", "love", "hat", "rose", "long", "wild", "sweet", "king"]


def one(draws, seed=0):
    [command] = commands(draws, WORDS, 1, seed=seed)
    return command


# ---- answers ----

RIGHT = {
    "copy": "thou",
    "backwards": "uoht",
    "twice": "thou thou",
    "capitals": "THOU",
    "without vowels": "th",
    "apart": "t-h-o-u",
    "beheaded": "hou",
    "first letter": "t",
    "last letter": "u",
    "length": "4",
    "three times": "thou thou thou",
    "without the last letter": "tho",
    "second letter": "h",
}


def test_every_act_does_what_it_says():
    assert {kind: act.do("thou") for kind, act in ACTS.items()} == RIGHT


def test_a_pair_is_one_act_after_the_other():
    told = language.pair(("capitals", "without vowels"), ["love"], Random(0))
    assert told.answer == "LV" and told.prompt.startswith("Take love: ") and ", then " in told.prompt


def test_the_others_are_answered_from_what_their_prompt_says():
    for seed in range(20):
        prompt, answer = one([language.look_up], seed)[1:]
        thing = prompt.rpartition("What is the ")[2].removesuffix("?")
        assert f"The {thing} is {answer}." in prompt and 2 <= prompt.count(" is ") - 1 <= 3
        _, a, _, b = one([language.add], seed).prompt.removesuffix(".").split()
        assert one([language.add], seed).answer == str(int(a) + int(b))
        assert one([language.call], seed).answer == f"[{a} & {b}]"
        first, other = one([language.swap], seed).answer.split()
        assert f"Take {other} and {first}:" in one([language.swap], seed).prompt


def test_a_note_is_the_prompt_of_a_look_up():
    assert language.note([("hat", "long"), ("rose", "wild")], "hat") == (
        "The hat is long. The rose is wild. What is the hat?"
    )


# ---- what is held out ----


def test_no_wording_pair_or_kind_that_is_asked_as_new_is_in_the_training():
    known = commands((*language.SINGLE, *language.PAIRED), WORDS, 4000, seed=0)
    asked = {sort: commands(draws, WORDS, 600, seed=1) for sort, draws in ASKED.items()}
    kinds = {command.kind for command in known}
    assert not kinds & {command.kind for sort in ("new pairs", "new kinds") for command in asked[sort]}
    assert {command.kind for sort in ("known", "known pairs") for command in asked[sort]} == kinds
    wordings = {command.prompt.partition(": ")[2] for command in known}
    assert not wordings & {command.prompt.partition(": ")[2] for command in asked["new wordings"]}


def test_every_act_of_a_new_pair_is_in_known_pairs_first_and_last():
    assert len(PAIRS) == 30 and len(NEW_PAIRS) == 6 and not set(NEW_PAIRS) & set(KNOWN_PAIRS)
    for first, then in NEW_PAIRS:
        assert first in {pair[0] for pair in KNOWN_PAIRS} and then in {pair[1] for pair in KNOWN_PAIRS}
    assert not set(NEW_ACTS) & set(language.KNOWN_ACTS)


def test_the_characters_are_those_of_the_plays():
    for sort, draws in ASKED.items():
        for command in commands(draws, WORDS, 100, seed=2):
            assert shakespeare.characters().encode(command.text), sort


def test_words_of_the_training_are_not_asked_for():
    known, held = instructions.words()
    assert len(known) > 4000 and len(held) > 400 and not set(known) & set(held)
    assert all(3 <= len(word) <= 7 and word.islower() for word in (*known, *held))


@pytest.mark.parametrize(
    ("draws", "words", "count", "said"),
    [([], WORDS, 1, "no kind"), ([language.add], WORDS, 0, "at least 1"), ([language.add], ["a"], 1, "6")],
)
def test_bad_input(draws, words, count, said):
    with pytest.raises(ValueError, match=said):
        commands(draws, words, count, seed=0)


# ---- batches, and what is right ----

TOLD = [Command("", "Say it.", "it"), Command("", "Say it again, and again.", "it it")]


def test_a_batch_asks_for_the_answers_alone_or_for_all():
    decode = shakespeare.characters().decode
    ids, targets = instructions.batch(TOLD)
    assert ids.shape == targets.shape == (2, len(TOLD[1].text) - 1)
    for row, asked, command in zip(ids, targets, TOLD, strict=True):
        assert "".join(decode(row.tolist())).startswith(command.text[:-1])
        assert "".join(decode(asked[asked != IGNORED].tolist())) == command.answer + "\n"
        first = (asked != IGNORED).nonzero()[0].item()
        assert decode([row[first].item()]) == ["\n"]
    _, every = instructions.batch(TOLD, answers=False)
    assert "".join(decode(every[1].tolist())) == TOLD[1].text[1:]
    assert (every[0] != IGNORED).sum() == len(TOLD[0].text) - 1


class Knows(nn.Module):
    """Says the wanted texts, but for a slip in one place of one of them."""

    def __init__(self, slip=None):
        super().__init__()
        self.slip = slip

    def forward(self, ids):
        logits = nn.functional.one_hot(instructions.batch(TOLD, answers=False)[1].clamp_min(0), 84).float()
        if self.slip:
            logits[self.slip] = logits[self.slip].roll(1)
        return logits, None


def test_right_is_right_to_the_last_letter_of_the_answer():
    assert instructions.right(Knows(), TOLD).tolist() == [True, True]
    assert instructions.right(Knows((0, 3)), TOLD).tolist() == [True, True]  # in the command
    assert instructions.right(Knows((0, 8)), TOLD).tolist() == [False, True]
    assert instructions.right(Knows((0, 20)), TOLD).tolist() == [True, True]  # behind its end
    end = len(TOLD[1].text) - 2
    assert instructions.right(Knows((1, end)), TOLD).tolist() == [True, False]  # does not stop


@pytest.mark.parametrize("pairs", [0, 12, 24])
def test_the_training_draws_as_many_pairs_as_it_is_told(pairs):
    ids, _ = instructions.batches(pairs, size=400)(torch.Generator().manual_seed(0))
    texts = ["".join(shakespeare.characters().decode(row.tolist())) for row in ids]
    together = sum(", then " in text for text in texts)
    assert together == 0 if pairs == 0 else 100 < together < 170
