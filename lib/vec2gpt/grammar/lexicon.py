"""The words of the English→French grammar and the forms they take: what the trees of `syntax` say.

Every English word has one meaning here and so one translation; which of its forms is right follows from the
other words of the sentence. The forms that French has for its ear stand here too (bel oiseau, not *beau
oiseau; mon école, not *ma école; cet homme); what is only written differently because of the next word (l',
du, aux) is the matter of `syntax.written`.

To add a word, add it to its table. Leave out what has two meanings (orange), a plural like its singular
(fish), a past like its present (cut), or a gender that English does not show (friend: ami or amie).
"""

from enum import Flag, auto
from typing import NamedTuple

VOWELS = "aeiouyàâéèêëîïôœùû"
ASPIRATED = {"hibou", "hiboux"}  # le hibou, but l'homme: which h is silent is to be learnt word by word


def opens_with_vowel(word: str) -> bool:
    """Whether a French word sounds as beginning with a vowel: oiseau, homme; not chien, not hibou."""
    return word[0] in VOWELS or (word[0] == "h" and word not in ASPIRATED)


def french_plural(word: str) -> str:
    """The regular plural: chiens, souris, oiseaux, chevaux.

    >>> [french_plural(word) for word in ("chien", "souris", "oiseau", "cheval")]
    ['chiens', 'souris', 'oiseaux', 'chevaux']
    """
    if word.endswith(("s", "x")):
        return word
    if word.endswith("al"):
        return word.removesuffix("l") + "ux"
    return word + ("x" if word.endswith("eau") else "s")


class Agreement(NamedTuple):
    """What a French noun asks of the words that go with it."""

    feminine: bool
    plural: bool


MASCULINE = Agreement(feminine=False, plural=False)  # also the form of a word that agrees with nothing

# ----------------------------------------------------------------------------------------------------- nouns


class Kind(Flag):
    """What sort of thing a noun names: nobody buys a king, and nothing is sad but what lives."""

    ADULT, CHILD, ANIMAL, OBJECT, FOOD, SUPPORT, PLACE = (auto() for _ in range(7))
    PERSON = ADULT | CHILD
    LIVING = PERSON | ANIMAL
    THING = OBJECT | FOOD | SUPPORT | PLACE
    ANY = LIVING | THING


class Noun(NamedTuple):
    english: tuple[str, str]  # singular, plural
    french: tuple[str, str]
    feminine: bool
    kind: Kind


def _noun(row: str, kind: Kind) -> Noun:
    """'mouse/mice souris f' as a Noun; a plural is given where it is irregular."""
    english, french, gender = row.split()
    one, _, many = english.partition("/")
    un, _, plusieurs = french.partition("/")
    return Noun((one, many or one + "s"), (un, plusieurs or french_plural(un)), gender == "f", kind)


NOUNS = tuple(
    _noun(row, kind)
    for kind, rows in {
        Kind.ADULT: "man/men homme m, woman/women femme f, king roi m, queen reine f, doctor médecin m, "
        "nurse infirmière f, actor acteur m, baker boulanger m",
        Kind.CHILD: "child/children enfant m, girl fille f, boy garçon m",
        Kind.ANIMAL: "dog chien m, cat chat m, horse cheval m, bird oiseau m, owl hibou/hiboux m, "
        "mouse/mice souris f, cow vache f, bee abeille f, wolf/wolves loup m, animal animal m",
        Kind.OBJECT: "car voiture f, boat bateau m, plane avion m, hat chapeau m, book livre m, "
        "newspaper journal m, clock horloge f, flower fleur f, tree arbre m, knife/knives couteau m",
        Kind.FOOD: "apple pomme f, egg œuf m, cake gâteau m",
        Kind.SUPPORT: "table table f, chair chaise f, bed lit m, bridge pont m",
        Kind.PLACE: "house maison f, garden jardin m, school école f, hotel hôtel m, hospital hôpital m, "
        "forest forêt f, street rue f",
    }.items()
    for row in rows.split(", ")
)

# ------------------------------------------------------------------------------------------------ adjectives


class Adjective(NamedTuple):
    english: str
    masculine: str
    feminine: str
    suits: Kind
    before_vowel: str = ""  # the masculine singular before a vowel, where it has its own: bel oiseau

    def french(self, agreement: Agreement, *, before: str = "") -> str:
        """The form that agrees; `before`: the word that follows, if that is the noun."""
        if self.before_vowel and agreement == MASCULINE and before and opens_with_vowel(before):
            return self.before_vowel
        return agreeing(self.masculine, self.feminine, agreement)


def agreeing(masculine: str, feminine: str, agreement: Agreement) -> str:
    """One of the four forms of an adjective or a participle."""
    word = feminine if agreement.feminine else masculine
    return french_plural(word) if agreement.plural else word


_SOLID = Kind.OBJECT | Kind.SUPPORT | Kind.PLACE  # what can be old, new or of any size

FRONT = (  # before the noun: beauty, age, goodness, size
    Adjective("beautiful", "beau", "belle", Kind.ANY, before_vowel="bel"),
    Adjective("pretty", "joli", "jolie", Kind.CHILD | Kind.ANIMAL | Kind.OBJECT | Kind.PLACE),
    Adjective("good", "bon", "bonne", Kind.OBJECT | Kind.FOOD | Kind.ANIMAL),
    Adjective("bad", "mauvais", "mauvaise", Kind.OBJECT | Kind.FOOD),
    Adjective("big", "grand", "grande", Kind.ANIMAL | _SOLID),  # of people it would mean "great"
    Adjective("small", "petit", "petite", Kind.ANY),
    Adjective("old", "vieux", "vieille", Kind.ADULT | Kind.ANIMAL | _SOLID, before_vowel="vieil"),
    Adjective("young", "jeune", "jeune", Kind.LIVING),
    Adjective("new", "nouveau", "nouvelle", _SOLID, before_vowel="nouvel"),
)
BEHIND = (
    Adjective("blue", "bleu", "bleue", Kind.ANIMAL | _SOLID),
    Adjective("green", "vert", "verte", Kind.ANIMAL | Kind.FOOD | _SOLID),
    Adjective("black", "noir", "noire", Kind.ANIMAL | _SOLID),
    Adjective("white", "blanc", "blanche", Kind.ANIMAL | Kind.FOOD | _SOLID),
    Adjective("red", "rouge", "rouge", Kind.ANIMAL | Kind.FOOD | _SOLID),
    Adjective("grey", "gris", "grise", Kind.ANIMAL | _SOLID),
    Adjective("happy", "heureux", "heureuse", Kind.LIVING),
    Adjective("sad", "triste", "triste", Kind.LIVING),
    Adjective("tired", "fatigué", "fatiguée", Kind.LIVING),
    Adjective("intelligent", "intelligent", "intelligente", Kind.LIVING),
    Adjective("rich", "riche", "riche", Kind.ADULT),
    Adjective("strange", "étrange", "étrange", Kind.ANY),
)

# ----------------------------------------------------------------------------------------------------- verbs


class Verb(NamedTuple):
    english: str  # the infinitive and the present plural
    past: str
    french: tuple[str, str]  # il, ils
    participle: str
    subjects: Kind
    objects: Kind = Kind(0)  # none: the verb takes no object
    particle: str = ""  # looks *at*
    preposition: str = ""  # obéit *à*
    auxiliary: str = "avoir"

    @property
    def present(self) -> tuple[str, str]:
        return self.english + "s", self.english


_LIVING, _PERSON, _LIGHT = Kind.LIVING, Kind.PERSON, Kind.LIVING | Kind.OBJECT | Kind.FOOD

INTRANSITIVE = (
    Verb("sleep", "slept", ("dort", "dorment"), "dormi", Kind.LIVING),
    Verb("sing", "sang", ("chante", "chantent"), "chanté", Kind.PERSON),
    Verb("dance", "danced", ("danse", "dansent"), "dansé", Kind.LIVING),
    Verb("work", "worked", ("travaille", "travaillent"), "travaillé", Kind.LIVING),
    Verb("arrive", "arrived", ("arrive", "arrivent"), "arrivé", Kind.LIVING, auxiliary="être"),
    Verb("fall", "fell", ("tombe", "tombent"), "tombé", _LIGHT, auxiliary="être"),
    Verb("burn", "burned", ("brûle", "brûlent"), "brûlé", Kind.THING),
    Verb("disappear", "disappeared", ("disparaît", "disparaissent"), "disparu", Kind.ANY),
)
TRANSITIVE = (
    Verb("see", "saw", ("voit", "voient"), "vu", _LIVING, Kind.ANY),
    Verb("find", "found", ("trouve", "trouvent"), "trouvé", _LIVING, Kind.ANY),
    Verb("love", "loved", ("aime", "aiment"), "aimé", _LIVING, Kind.ANY),
    Verb("follow", "followed", ("suit", "suivent"), "suivi", _LIVING, Kind.LIVING),
    Verb("hear", "heard", ("entend", "entendent"), "entendu", _LIVING, Kind.LIVING),
    Verb("buy", "bought", ("achète", "achètent"), "acheté", _PERSON, Kind.OBJECT | Kind.FOOD),
    Verb("look", "looked", ("regarde", "regardent"), "regardé", _LIVING, Kind.ANY, "at"),
    Verb("wait", "waited", ("attend", "attendent"), "attendu", _LIVING, Kind.LIVING, "for"),
    Verb("obey", "obeyed", ("obéit", "obéissent"), "obéi", _LIVING, _PERSON, preposition="à"),
    Verb("talk", "talked", ("parle", "parlent"), "parlé", _PERSON, _LIVING, "to", "à"),
    Verb("dream", "dreamed", ("rêve", "rêvent"), "rêvé", _LIVING, Kind.ANY, "of", "de"),
)
AUXILIARIES = {"avoir": ("a", "ont"), "être": ("est", "sont")}
TO_BE = ("is", "are"), ("was", "were")  # present, past: singular and plural
ETRE = ("est", "sont"), ("était", "étaient")

# ----------------------------------------------------------------------------------------------- small words


class Determiner(NamedTuple):
    english: tuple[str, str]  # for one and for many; "" where there is none
    masculine: str
    feminine: str
    plural: str
    masculine_before_vowel: str = ""  # where it has its own: cet homme, mon école
    feminine_before_vowel: str = ""

    def french(self, agreement: Agreement, *, before: str) -> str:
        """The form that agrees, before the word that follows."""
        if agreement.plural:
            return self.plural
        plain, own = (
            (self.feminine, self.feminine_before_vowel)
            if agreement.feminine
            else (self.masculine, self.masculine_before_vowel)
        )
        return own if own and opens_with_vowel(before) else plain


A = Determiner(("a", ""), "un", "une", "")
DETERMINERS = {  # how often each is drawn
    Determiner(("the", "the"), "le", "la", "les"): 8,
    A: 4,
    Determiner(("this", "these"), "ce", "cette", "ces", masculine_before_vowel="cet"): 2,
    Determiner(("my", "my"), "mon", "ma", "mes", feminine_before_vowel="mon"): 1,
    Determiner(("your", "your"), "ton", "ta", "tes", feminine_before_vowel="ton"): 1,
    Determiner(("his", "his"), "son", "sa", "ses", feminine_before_vowel="son"): 1,
    Determiner(("her", "her"), "son", "sa", "ses", feminine_before_vowel="son"): 1,
    Determiner(("our", "our"), "notre", "notre", "nos"): 1,
    Determiner(("", "two"), "", "", "deux"): 1,
    Determiner(("", "many"), "", "", "beaucoup de"): 1,
}


class Preposition(NamedTuple):
    english: str
    french: str
    before: Kind  # what may follow


OF = Preposition("of", "de", Kind.PERSON)
PREPOSITIONS = (
    Preposition("in", "dans", Kind.PLACE),
    Preposition("on", "sur", Kind.SUPPORT),
    Preposition("under", "sous", Kind.SUPPORT),
    Preposition("near", "près de", Kind.ANY),
    Preposition("behind", "derrière", Kind.ANY),
    Preposition("with", "avec", Kind.LIVING),
)
CONJUNCTIONS = {"and": "et", "but": "mais", "because": "parce que", "when": "quand"}

# ------------------------------------------------------------------------------------------------ all of them


def english_words() -> set[str]:
    """Every English word that a tree can say."""
    words = {"an", "that", "not", "do", "does", "did", "very", *CONJUNCTIONS}
    words.update(*TO_BE, *(noun.english for noun in NOUNS), *(row.english for row in DETERMINERS))
    words.update(row.english for row in (*FRONT, *BEHIND, OF, *PREPOSITIONS))
    for verb in INTRANSITIVE + TRANSITIVE:
        words.update([*verb.present, verb.past, verb.particle])
    return words - {""}


def french_words() -> set[str]:
    """Every French word that a tree can say, before it is elided or contracted."""
    words = {"qui", "que", "ne", "pas", "très", *" ".join(CONJUNCTIONS.values()).split()}
    words.update(*ETRE, *AUXILIARIES.values(), *(noun.french for noun in NOUNS))
    words.update(word for row in (OF, *PREPOSITIONS) for word in row.french.split())
    words.update(word for row in DETERMINERS for text in row[1:] for word in text.split())
    forms = [Agreement(feminine, plural) for feminine in (False, True) for plural in (False, True)]
    for adjective in FRONT + BEHIND:
        words.update([adjective.before_vowel, *(adjective.french(form) for form in forms)])
    for verb in INTRANSITIVE + TRANSITIVE:
        agrees = verb.auxiliary == "être" or (verb.objects and not verb.preposition)
        participles = (agreeing(verb.participle, verb.participle + "e", form) for form in forms)
        words.update([*verb.french, verb.preposition, *(participles if agrees else [verb.participle])])
    return words - {""}
