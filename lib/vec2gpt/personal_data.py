"""Takes out of a text what points at a person: addresses, numbers of telephones, cards and accounts.

A language model recites what it was trained on: Carlini and others (2021) got names, telephone numbers and
e-mail addresses of private people out of GPT-2. What was never in the training text cannot be recited. So
each find gives way to a mark that says what stood there: "write to <e-mail>".

A pattern alone finds too much: ten digits may be a telephone number, a span of years or an ISBN. So what has
a check digit is checked (cards by Luhn's sum, accounts by the remainder modulo 97), addresses of computers
are read as such, and a number is left alone after a word such as ISBN or version.

What this cannot do: names, postal addresses, dates of birth, and what only the context gives away ("the
mayor's younger sister"). No pattern tells a name from a word; that needs a trained tagger, which errs too.
Telephone numbers are found in their usual spellings (+44 20 …, (212) 555-…, 01 23 …), social security numbers
in the American one, digits only as 0-9. What is left of a text is not anonymous.
"""

import ipaddress
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple


class Find(NamedTuple):
    """One find: text[start:stop] is `text`, and `kind` what it is."""

    kind: str
    start: int
    stop: int
    text: str


# ------------------------------------------------------------------------------------- what digits must obey


def luhn(number: str) -> bool:
    """Whether the last digit is the check digit of the others (Luhn, 1954), as on payment cards.

    From the right every second digit counts double (its digits added), and the sum ends in 0:
    `luhn("79927398713")`: 3 + 2 + 7 + 7 + 9 + 6 + 7 + 4 + 9 + 9 + 7 = 70.
    """
    digits = [int(digit) for digit in number[::-1]]
    return (
        bool(digits) and sum(digits[::2] + [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]) % 10 == 0
    )


def mod97(account: str) -> bool:
    """Whether an IBAN's two check digits are right (ISO 13616).

    The first four characters go to the end, A counts 10 … Z 35, and the number leaves 1 when divided by 97:
    `mod97("GB82WEST12345698765432")`.
    """
    turned = account[4:] + account[:4]
    return turned.isalnum() and turned.isascii() and int("".join(str(int(c, 36)) for c in turned)) % 97 == 1


def _is_card(text: str) -> bool:
    digits = re.sub(r"[ -]", "", text)
    return 13 <= len(digits) <= 19 and len(set(digits)) > 1 and luhn(digits)


def _is_account(text: str) -> bool:
    account = text.replace(" ", "")
    return 15 <= len(account) <= 34 and mod97(account)


def _is_address(text: str) -> bool:
    """An address of a computer; of the short forms of IPv6 only those with a digit and a long group."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return ":" not in text or bool(re.search(r"\d", text) and re.search(r"[0-9a-fA-F]{3}", text))


def _is_telephone(text: str) -> bool:
    digits = re.sub(r"[^0-9]", "", text)
    date_or_decimal = re.match(r"\d\d?([-/ ])\d\d?\1\d{4}(?!\d)|\+\d+\.\d+$", text)
    return 9 <= len(digits) <= 15 and not date_or_decimal


# -------------------------------------------------------------------------------------------------- patterns

# A pattern starts only where no word or number is under way, and counts its repetitions: on a text of a
# million digits it takes no longer a character than on a short one.
ALONE, ENDED = r"(?<![\w.+/-])", r"(?![\w-]|[./]\w)"
E_MAIL = r"(?<![\w.+%-])[\w.+%-]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}(?![\w-])"
IBAN = ALONE + r"[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?" + ENDED
CARD = ALONE + r"(?:2[2-7]|[3-6][0-9])(?:[ -]?[0-9]){11,17}" + ENDED
SOCIAL = ALONE + r"(?!000|666|9)[0-9]{3}-(?!00)[0-9]{2}-(?!0000)[0-9]{4}" + ENDED
IPV4 = r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![\w-]|\.\w)"
IPV6 = r"(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![\w:-])"
ADDRESS = rf"(?<![\w.:-])(?:{IPV4}|{IPV6})"
TELEPHONE = (
    rf"{ALONE}(?<![0-9] )(?:"  # the thousands of "1 000 000 000" are no number of their own
    r"(?:\+|00)[1-9](?:[ ./()-]{0,3}[0-9]){7,14}|"  # +44 (0)20 7946 0958
    r"(?:1[ .-])?(?:\([2-9][0-9]{2}\) ?|[2-9][0-9]{2}[.-])[2-9][0-9]{2}[ .-][0-9]{4}|"  # (212) 555-0123
    r"0[1-9](?:[ .-][0-9]{2}){4}|"  # 01 23 45 67 89
    r"(?:0[1-9][0-9]{0,3}|\(0[1-9][0-9]{0,3}\))[ /-]{1,2}[0-9]{2,4}(?:[ -]?[0-9]{2,4}){1,3}"  # 020 7946 0958
    rf"){ENDED}"
)

KINDS: dict[str, tuple[re.Pattern, Callable[[str], bool]]] = {  # what is surest comes first
    "e-mail": (re.compile(E_MAIL), bool),
    "IBAN": (re.compile(IBAN), _is_account),
    "card number": (re.compile(CARD), _is_card),
    "social security number": (re.compile(SOCIAL), bool),
    "IP address": (re.compile(ADDRESS), _is_address),
    "telephone": (re.compile(TELEPHONE), _is_telephone),
}
NO_PERSON = re.compile(  # right before a number: then it counts books or versions
    r"(?:\b(?:isbn(?:-1[03])?|issn|doi|oclc|version|release|build|firmware|section|chapter)|\bv)[.:#]?\s?$",
    re.IGNORECASE,
)


def find(text: str) -> list[Find]:
    """All finds in the order of the text; none overlap.

    >>> find("Ask ann@example.org about version 1.2.3.4.")
    [Find(kind='e-mail', start=4, stop=19, text='ann@example.org')]
    """
    taken = bytearray(len(text))
    finds = []
    for kind, (pattern, holds) in KINDS.items():
        for found in _finds(text, kind, pattern, holds):
            if not any(taken[found.start : found.stop]):
                taken[found.start : found.stop] = b"\1" * len(found.text)
                finds.append(found)
    return sorted(finds, key=lambda found: found.start)


def _finds(text: str, kind: str, pattern: re.Pattern, holds: Callable[[str], bool]) -> Iterator[Find]:
    for match in pattern.finditer(text):
        start = match.start()
        part = next(filter(holds, _beginnings(match[0])), "")
        if part and not NO_PERSON.search(text[max(0, start - 12) : start]):
            yield Find(kind, start, start + len(part), part)


def _beginnings(found: str) -> Iterator[str]:
    """All of it, then without its last word, and so on: a pattern may have taken a word too many."""
    while found:
        yield found
        found = found.rpartition(" ")[0]


def remove(text: str) -> tuple[str, Counter[str]]:
    """(the text with a mark for each find, how many finds of each kind).

    >>> remove("Ann, ann@example.org, +44 20 7946 0958, born in 1984")
    ('Ann, <e-mail>, <telephone>, born in 1984', Counter({'e-mail': 1, 'telephone': 1}))
    """
    finds = find(text)
    kept, at = [], 0
    for found in finds:
        kept += [text[at : found.start], f"<{found.kind}>"]
        at = found.stop
    return "".join([*kept, text[at:]]), Counter(found.kind for found in finds)
