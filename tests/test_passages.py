"""Passages hold the documents' own text, whole sentences of it, in rows that begin with one."""

import doctest

import pytest

import vec2gpt.passages as module
from vec2gpt.bpe import BPE
from vec2gpt.passages import passage, passages, sentences

MARKS = ("[PAD]", "[CLS]", "[SEP]", "[MASK]")
DOCUMENTS = [
    "They met in May. It rained all day!  Nobody\nminded. Was it late? She went on by train.",
    "He left.",
    " \n ",
    "On and on it went, over hills and under bridges and through the wet night to the sea. Then it stopped.",
]
BPE_ = BPE.train(DOCUMENTS * 3, size=320, specials=MARKS)
PAD, CLS, SEP = (BPE_[name] for name in MARKS[:3])


def test_the_examples_of_the_docstrings_are_true():
    bpe = BPE.train(["Hi.", "They met in May. It rained."] * 9, size=283, specials=MARKS)
    failed, tried = doctest.testmod(module, extraglobs={"bpe": bpe})
    assert (failed, tried) == (0, 3)


def inside(row):
    """A row's ids without marks: checks that they stand where they should."""
    ids = row.tolist()
    end = ids.index(SEP)
    assert ids[0] == CLS and set(ids[end + 1 :]) <= {PAD} and not set(ids[1:end]) & {PAD, CLS, SEP}
    return ids[1:end]


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("One. Two! Three? Four.", ["One.", "Two!", "Three?", "Four."]),
        ("It cost 3.50 e.g. on 5. May it last.", ["It cost 3.50 e.g. on 5.", "May it last."]),
        ("“Stop!” “Why?” (He ran.) ‘No.’ she", ["“Stop!”", "“Why?”", "(He ran.)", "‘No.’ she"]),
        ("Ça va. Élan. été", ["Ça va.", "Élan. été"]),
        ("a\n b.\n\nC  d", ["a b.", "C d"]),
        ("No end", ["No end"]),
        ("他说。 好。", ["他说。 好。"]),
        (" \n", []),
        ("", []),
        ("A. ", ["A."]),
        ("?! A", ["?!", "A"]),
    ],
)
def test_a_sentence_ends_where_a_space_and_a_capital_follow_its_mark(text, cut):
    assert sentences(text) == cut


@pytest.mark.parametrize("length", [3, 12, 40, 200])
def test_rows_hold_whole_sentences_of_one_document_in_order_and_as_many_as_fit(length):
    rows = [inside(row) for row in passages(DOCUMENTS, BPE_, length=length)]
    assert all(len(row) <= length - 2 for row in rows)
    waiting = [sentences(text) for text in DOCUMENTS if sentences(text)]
    for ids in rows:
        document, text = waiting[0], BPE_.decode(ids)
        taken = [document.pop(0)]
        while document and len(BPE_.encode(" ".join([*taken, document[0]]))) <= length - 2:
            taken.append(document.pop(0))
        whole = " ".join(taken)
        assert text == whole or (
            len(taken) == 1 and len(ids) == length - 2 and ids == BPE_.encode(whole)[: length - 2]
        )
        waiting = [document, *waiting[1:]] if document else waiting[1:]
    assert not waiting


def test_with_room_for_all_a_document_is_one_row_and_an_empty_one_none():
    rows = passages(DOCUMENTS, BPE_, length=200)
    assert rows.shape == (3, 200)
    assert [BPE_.decode(inside(row)) for row in rows] == [
        " ".join(text.split()) for text in DOCUMENTS if text.strip()
    ]


def test_a_passage_is_a_text_as_it_is_between_its_marks():
    text = "  They met,  twice. [MASK] 你好 🙂"
    row = passage(text, BPE_, length=60)
    assert row.shape == (60,) and BPE_.decode(inside(row)) == text
    size = len(BPE_.encode(text))
    assert inside(passage(text, BPE_, length=size + 2)) == BPE_.encode(text)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (lambda: passage("", BPE_, length=8), "has 0 tokens; .* holds 1 to 6"),
        (lambda: passage("€" * 9, BPE_, length=8), "tokens; between its marks a row of 8 holds 1 to 6"),
        (lambda: passage("a", BPE_, length=2), "length is 2: give at least 3"),
        (lambda: passages(DOCUMENTS, BPE_, length=2), "length is 2: give at least 3"),
        (lambda: passages("a text", BPE_, length=8), "documents is one string; give an iterable"),
        (lambda: passages([], BPE_, length=8), "no text"),
        (lambda: passages(["", " "], BPE_, length=8), "no text"),
    ],
)
def test_what_makes_no_passage_is_said(asked, said):
    with pytest.raises(ValueError, match=said):
        asked()


def test_a_vocabulary_without_the_marks_says_which_is_missing():
    with pytest.raises(KeyError, match=r"\[PAD\]"):
        passages(DOCUMENTS, BPE.train(DOCUMENTS, size=260), length=8)
