"""Speeches, who of the speakers has a name, and the sentences labelled by it."""

import pytest

from vec2gpt.recipes.understanding import persons
from vec2gpt.recipes.understanding.persons import Sentence

PLAY = """A PLAY

ADA.
A cast list, that nobody says.

ACT I. Scene 1.

A hall in KING'S palace.

[Enter ADA and a PAGE.]

ADA.
Good Page, where is the king? I saw Bell and
Ada Page [aside] here.

PAGE.
The page is there, my Ada; and Ada, Bell, Ada.

FIRST LORD.
The Lord! A lord knows Lord Bell and Ada.

ACT II.
Another hall, with Ada in it.

ADA.
The bell!
"""


def test_speeches_are_cut_at_headings_without_directions_scenes_and_the_cast():
    said = persons.speeches(PLAY)
    assert [speaker for speaker, _ in said] == ["ADA", "PAGE", "FIRST LORD", "ADA"]
    assert " ".join(said[0][1].split()) == "Good Page, where is the king? I saw Bell and Ada Page here."
    assert said[3][1] == "The bell!"


def test_names_are_speakers_that_are_written_as_names():
    """Page is named twice and a thing once, Lord is a title, Bell never speaks."""
    assert persons.names(persons.speeches(PLAY)) == {"Ada", "Page"}
    more = PLAY.replace("I saw", "One page, or the Page, saw")
    assert persons.names(persons.speeches(more)) == {"Ada"}


def test_neighbours_are_of_one_name_and_a_comma_parts_them():
    [first, *_] = [part for part in persons.sentences(PLAY) if "Bell" in "".join(part.words)]
    assert "".join(first.words) == " I saw Bell and Ada Page here."
    assert [persons.TAGS[tag] for tag in first.tags] == ["O"] * 4 + ["B-PER", "I-PER", "O", "O"]
    assert first.spans == [("PER", 4, 6)]
    parted = next(part for part in persons.sentences(PLAY) if "there" in "".join(part.words))
    assert len(parted.spans) == 3 and all(span.end == span.start + 1 for span in parted.spans)


def test_a_long_sentence_is_cut_and_nothing_of_it_lost():
    long = PLAY.replace("The bell!", "word " * 100 + "Ada.")
    parts = [part for part in persons.sentences(long) if " word" in part.words]
    assert [len(part.words) for part in parts] == [32, 32, 32, 6]
    assert parts[-1].spans == [("PER", 4, 5)]


@pytest.mark.parametrize("text", ["", "ADA.\nNo act begins.", "ACT I.", "ACT I.\nADA.\n"])
def test_a_text_that_is_no_play_has_no_sentences(text):
    assert persons.sentences(text) == []


def test_the_plays_are_split_and_no_sentence_is_empty():
    parts = persons.split()
    assert [len(part) for part in parts] == [43275, 4849, 4304]
    for part in parts:
        assert all(0 < len(s.words) == len(s.tags) <= persons.LONGEST for s in part)
        assert 0.05 < sum(bool(s.spans) for s in part) / len(part) < 0.2
    known = persons.known_names()
    assert {"Caesar", "Shylock", "Page"} < known and not {"Macbeth", "Malvolio", "King"} & known


def test_sentences_by_hand_are_of_the_test_and_their_names_stand_in_them():
    hand, test = persons.by_hand(), {part.words for part in persons.split().test}
    assert len(hand) == 60 and sum(len(part.spans) for part in hand) == 61
    assert all(part.words in test for part in hand)
    names = {"".join(part.words[span.start : span.end]).strip() for part in hand for span in part.spans}
    assert {"Andrew Ague-face", "Belzebub", "Orsino"} < names and "King" not in names


def test_names_by_hand_must_stand_in_the_sentence_in_their_order():
    assert persons._named(" Ada and Bell", ["Ada", "Bell"]) == Sentence((" Ada", " and", " Bell"), (1, 0, 1))
    for wrong in (["Bell", "Ada"], ["Eve"], ["Ada", "Ada"]):
        with pytest.raises(ValueError, match="does not stand in"):
            persons._named(" Ada and Bell", wrong)
