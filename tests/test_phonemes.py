"""ARPAbet and IPA: CMUdict itself is the judge of which phonemes there are and where they are heard."""

import pytest

from vec2gpt import corpora
from vec2gpt.hub import g2p
from vec2gpt.phonemes import CONSONANTS, PHONEMES, VOWELS, ipa, phoneme, unstressed


def test_there_are_39_and_they_are_those_of_cmudict():
    used = {name for ways in corpora.cmudict().values() for way in ways for name in way}
    assert used == CONSONANTS.keys() | VOWELS.keys() and len(used) == 39


def test_with_stress_they_are_those_of_cmudict_too():
    used = {name for ways in corpora.cmudict(stress=True).values() for way in ways for name in way}
    assert used == PHONEMES.keys() - VOWELS.keys()


def test_without_stress_they_are_39_again():
    assert {unstressed(name) for name in PHONEMES} == CONSONANTS.keys() | VOWELS.keys()
    assert [unstressed(name) for name in ("AH0", "AH", "ER1", "K")] == ["AH", "AH", "ER", "K"]


def test_each_is_heard_in_its_example_word():
    plain, stressed = corpora.cmudict(), corpora.cmudict(stress=True)
    for name, (_, example) in PHONEMES.items():
        bare = unstressed(name)
        assert any(bare in way for way in plain[example.lower()]), name
        if bare in ("AH", "ER") and name != bare:  # and with that stress, where it changes the sound
            digit = "0" if name[-1] == "0" else "1"
            assert any(bare + digit in way for way in stressed[example.lower()]), name


def test_without_a_digit_a_vowel_is_taken_as_it_is_mostly_said():
    said = [name for ways in corpora.cmudict(stress=True).values() for way in ways for name in way]
    for vowel, share in {"AH": 0.89, "ER": 0.82}.items():
        digits = [name for name in said if name.startswith(vowel)]
        assert digits.count(vowel + "0") / len(digits) == pytest.approx(share, abs=0.006)


def test_no_two_phonemes_are_written_alike_in_ipa():
    rows = CONSONANTS | VOWELS
    assert len({sign for sign, _ in rows.values()}) == len(rows)


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("TH R UW", "θɹu"),
        ("TH AO1 T", "θɔt"),
        ("HH AH1 T", "hʌt"),
        ("AH0 B AW1 T", "əbaʊt"),
        ("L EH1 T ER0", "lɛtɚ"),
        ("V IH ZH AH N", "vɪʒən"),
        ("CH ER1 CH", "tʃɝtʃ"),
        ("JH OY1", "dʒɔɪ"),
        ("Y EH S", "jɛs"),
        ("", ""),
    ],
)
def test_words_as_a_dictionary_writes_them(said, written):
    assert ipa(said.split()) == written


def test_the_pretrained_model_says_nothing_else():
    vocab = g2p.vocabs()[1]
    assert set(vocab.tokens) - set(vocab.specials) <= PHONEMES.keys()


@pytest.mark.parametrize("name", ["th", "", "AH3", "B1", "θ", "<eos>"])
def test_what_is_no_phoneme_is_refused_with_the_way_out(name):
    with pytest.raises(KeyError, match="none of the 39 phonemes of ARPAbet: write B, CH"):
        phoneme(name)
