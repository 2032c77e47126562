"""vec2gpt.personal_data: what points at a person goes, and years, dates, books and versions stay."""

import doctest
import random
from collections import Counter
from itertools import pairwise

import pytest

from vec2gpt import corpora, personal_data
from vec2gpt.personal_data import KINDS, find, luhn, mod97, remove

TRUE = {
    "e-mail": [
        *("ann@example.org", "a.b+list@mail.example.co.uk", "x_1%y@sub-domain.example.museum"),
        *("ANN@EXAMPLE.ORG", "zoë@beispiel.example", "o-1@1.example"),
    ],
    "telephone": [
        *("+44 20 7946 0958", "+44 (0)20 7946 0958", "+1-212-555-0123", "+1 (212) 555-0123", "+33123456789"),
        *("(212) 555-0123", "(212)555-0123", "212-555-0123", "212.555.0123", "1-800-555-0123"),
        *(
            "01 23 45 67 89",
            "01.23.45.67.89",
            "020 7946 0958",
            "(020) 7946 0958",
            "030/123 4567",
            "0171-123 4567",
        ),
        *("+86 10 6552 9988", "+49 30 123456", "0044 20 7946 0958"),
    ],
    "IP address": [
        *("192.168.0.1", "8.8.8.8", "255.255.255.255", "2001:db8::1", "fe80::1ff:fe23:4567:890a"),
        *("2001:0db8:85a3:0000:0000:8a2e:0370:7334",),
    ],
    "card number": [
        *("4111 1111 1111 1111", "4111-1111-1111-1111", "4111111111111111", "5500 0000 0000 0004"),
        *("3782 822463 10005", "6011 0000 0000 0004", "2223 0000 4841 0010"),
    ],
    "IBAN": ["GB82 WEST 1234 5698 7654 32", "DE89370400440532013000", "NO93 8601 1117 947"],
    "social security number": ["078-05-1120", "219-09-9999"],
}
FALSE = [
    *("1914–1918", "1939-1945", "in 1984", "2004, 2005, 2006 and 2007", "2004 2005 2006 2007", "1066/1067"),
    *("2004-01-13", "13.01.2004", "01/02/2004", "01-02-2004 12:30", "2004-01-13T12:30:45", "12:30:45"),
    *("ISBN 0-306-40615-2", "ISBN 978-0-306-40615-7", "978-0-306-40615-7", "0-306-40615-2", "0306406152"),
    *("ISBN: 0306406152", "ISBN-13: 978 0 306 40615 7", "ISSN 0317-8471", "doi:10.1000/182"),
    *(
        "version 1.2.3.4",
        "v1.2.3.4",
        "v 1.2.3.4",
        "release 10.0.0.1",
        "Section 3.2.1.4",
        "1.2.3",
        "1.2.3.4.5",
    ),
    *("999.1.1.1", "10.0.19041.1", "1.0.0.1-rc", "std::vector", "a :: b", "::", "ace::bad", "10:20:30:40"),
    *("3.14159265358979", "+1.23456789", "1 000 000 000", "2 050 000 000", "100,000,000", "$1,234,567.89"),
    *("12345678901234567890123", "4111 1111 1111 1112", "0000 0000 0000 0000", "1e-10", "−273.15"),
    *("GB82 WEST 1234 5698 7654 33", "AB12 CDEF", "000-12-3456", "666-12-3456", "123-00-4567", "900-12-3456"),
    *("me at example dot org", "@handle", "a@b", "x@1.2", "C@@B.", "score 21-14, 21-19", "7-6, 6-3, 6-4"),
    *("36°30′ N 105-110", "route 66", "ninety-nine", "2,3-dihydroxy", "555-0123", "CH-3003", "1–2–3"),
]


def test_the_examples_of_the_docstrings_are_true():
    failed, tried = doctest.testmod(personal_data)
    assert (failed, tried) == (0, 2)


@pytest.mark.parametrize(("kind", "told"), [(kind, told) for kind in TRUE for told in TRUE[kind]])
@pytest.mark.parametrize(
    "around", ["{}", "Ann ({}), since 1984.", "his: {}, or hers", '"{}"', "x\n{}\ny", "是：{}。"]
)
def test_what_points_at_a_person_goes(kind, told, around):
    text = around.format(told)
    assert remove(text) == (around.format(f"<{kind}>"), Counter([kind]))
    assert [text[found.start : found.stop] for found in find(text)] == [told]


@pytest.mark.parametrize("told", FALSE)
@pytest.mark.parametrize("around", ["{}", "It says {}, as we know.", "x\n{}\ny"])
def test_what_points_at_nobody_stays(told, around):
    assert remove(around.format(told)) == (around.format(told), Counter())


def test_every_kind_is_tried():
    assert TRUE.keys() == KINDS.keys()


def test_several_finds_are_told_apart_and_do_not_overlap():
    told = [(kind, example) for kind, examples in TRUE.items() for example in examples]
    random.Random(0).shuffle(told)
    text = "; ".join(example for _, example in told)
    finds = find(text)
    assert [(found.kind, found.text) for found in finds] == told
    assert all(one.stop <= other.start for one, other in pairwise(finds))
    cleaned, counts = remove(text)
    assert cleaned == "; ".join(f"<{kind}>" for kind, _ in told)
    assert counts == Counter(kind for kind, _ in told)


def test_what_was_removed_is_not_found_again():
    cleaned, _ = remove("; ".join(example for examples in TRUE.values() for example in examples))
    assert remove(cleaned) == (cleaned, Counter())


def test_words_after_a_number_stay():
    assert remove("GB82 WEST 1234 5698 7654 32 AND THEN")[0] == "<IBAN> AND THEN"
    assert remove("4111 1111 1111 1111 123")[0] == "<card number> 123"
    assert remove("at 192.168.0.1:8080.")[0] == "at <IP address>:8080."


# ----------------------------------------------------------------------------------------------- check digits


def test_luhn_tells_every_wrong_digit_and_most_swaps():
    number = "79927398713"
    assert luhn(number) and not luhn("")
    for place, digit in enumerate(number):
        others = [number[:place] + other + number[place + 1 :] for other in "0123456789" if other != digit]
        assert not any(map(luhn, others))
    assert sum(luhn(f"7992739871{last}") for last in range(10)) == 1


def test_mod97_tells_every_wrong_digit_and_every_swap():
    account = "GB82WEST12345698765432"
    assert mod97(account)
    for place in range(4, len(account)):
        for other in "0123456789":
            assert mod97(changed := account[:place] + other + account[place + 1 :]) == (changed == account)
        if place + 1 < len(account) and account[place] != account[place + 1]:
            swapped = account[:place] + account[place + 1] + account[place] + account[place + 2 :]
            assert not mod97(swapped)
    assert not any(map(mod97, ["", "GB", "GB82 WEST", "GB82-WEST", "ÄÖ82"]))


# -------------------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    "text", ["", " \n", "\x00", "\ud800", "他说：一二三", "٠١٢-٣٤٥-٦٧٨٩", "@" * 99, "😀"]
)
def test_what_has_nothing_to_find_stays_as_it_is(text):
    assert remove(text) == (text, Counter())


@pytest.mark.parametrize(
    "piece", ["1", "a", "a.", "1 ", ":", "+1 ", "AB12 ", "0 0", "1.1.", "a@b.", "a@", "4111 1111 ", "01-"]
)
def test_a_huge_text_takes_no_longer_a_character_than_a_short_one(piece):
    """A pattern that went back and forth would take hours here, and the test would not end."""
    assert len(find(piece * (100_000 // len(piece)))) < 10_000


def test_it_says_what_it_cannot_do():
    assert "cannot do: names" in personal_data.__doc__
    text = "Ann Smith of 12 High Street, born on 3 May 1984, wrote to bob at example dot org."
    assert remove(text) == (text, Counter())


def test_the_news_name_nobodys_number():
    assert sum((remove(text)[1] for text in corpora.news()), Counter()) == Counter()
