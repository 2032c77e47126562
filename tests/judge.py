"""A judge of English→French pairs, that shares nothing with the generator: is the translation right?

Tables in which every form is written out, and two readers that parse an English and a French text word by
word, insist on each agreement, elision and contraction, and report what was said and where. The two reports
must be equal, which makes the one text a translation of the other; the places of what was said in both are
the alignment.
"""

import itertools
import re

from vec2gpt.grammar import Pair

NOUNS = """
man men homme hommes m, woman women femme femmes f, king kings roi rois m, queen queens reine reines f,
doctor doctors médecin médecins m, nurse nurses infirmière infirmières f, actor actors acteur acteurs m,
baker bakers boulanger boulangers m, child children enfant enfants m, girl girls fille filles f,
boy boys garçon garçons m, dog dogs chien chiens m, cat cats chat chats m, horse horses cheval chevaux m,
bird birds oiseau oiseaux m, owl owls hibou hiboux m, mouse mice souris souris f, cow cows vache vaches f,
bee bees abeille abeilles f, wolf wolves loup loups m, animal animals animal animaux m,
car cars voiture voitures f, boat boats bateau bateaux m, plane planes avion avions m,
hat hats chapeau chapeaux m, book books livre livres m, newspaper newspapers journal journaux m,
clock clocks horloge horloges f, flower flowers fleur fleurs f, tree trees arbre arbres m,
knife knives couteau couteaux m, apple apples pomme pommes f, egg eggs œuf œufs m,
cake cakes gâteau gâteaux m, table tables table tables f, chair chairs chaise chaises f, bed beds lit lits m,
bridge bridges pont ponts m, house houses maison maisons f, garden gardens jardin jardins m,
school schools école écoles f, hotel hotels hôtel hôtels m, hospital hospitals hôpital hôpitaux m,
forest forests forêt forêts f, street streets rue rues f
"""
FRONT = """
beautiful beau beaux belle belles bel, pretty joli jolis jolie jolies, good bon bons bonne bonnes,
bad mauvais mauvais mauvaise mauvaises, big grand grands grande grandes, small petit petits petite petites,
old vieux vieux vieille vieilles vieil, young jeune jeunes jeune jeunes,
new nouveau nouveaux nouvelle nouvelles nouvel
"""
BEHIND = """
blue bleu bleus bleue bleues, green vert verts verte vertes, black noir noirs noire noires,
white blanc blancs blanche blanches, red rouge rouges rouge rouges, grey gris gris grise grises,
happy heureux heureux heureuse heureuses, sad triste tristes triste tristes,
tired fatigué fatigués fatiguée fatiguées, rich riche riches riche riches,
intelligent intelligent intelligents intelligente intelligentes, strange étrange étranges étrange étranges
"""
VERBS = """
sleep sleeps slept dort dorment dormi, sing sings sang chante chantent chanté,
dance dances danced danse dansent dansé, work works worked travaille travaillent travaillé,
arrive arrives arrived arrive arrivent arrivé, fall falls fell tombe tombent tombé,
burn burns burned brûle brûlent brûlé, disappear disappears disappeared disparaît disparaissent disparu,
see sees saw voit voient vu, find finds found trouve trouvent trouvé, love loves loved aime aiment aimé,
follow follows followed suit suivent suivi, hear hears heard entend entendent entendu,
buy buys bought achète achètent acheté, look looks looked regarde regardent regardé,
wait waits waited attend attendent attendu, obey obeys obeyed obéit obéissent obéi,
talk talks talked parle parlent parlé, dream dreams dreamed rêve rêvent rêvé
"""
ALONE = {"sleep", "sing", "dance", "work", "arrive", "fall", "burn", "disappear"}  # verbs without an object
WITH_BE = "arrive", "fall"  # est arrivé, not a arrivé
PARTICLES = {"look": "at", "wait": "for", "talk": "to", "dream": "of"}
LINKS = {"obey": "à", "talk": "à", "dream": "de"}
ENDINGS = {("m", "s"): "", ("m", "p"): "s", ("f", "s"): "e", ("f", "p"): "es"}  # of participles
DETERMINERS = {  # French: what it means, genders, numbers
    "le": ("the", "m", "s"), "la": ("the", "f", "s"), "l'": ("the", "mf", "s"), "les": ("the", "mf", "p"),
    "un": ("a", "m", "s"), "une": ("a", "f", "s"), "deux": ("two", "mf", "p"), "ce": ("this", "m", "s"),
    "cet": ("this", "m", "s"), "cette": ("this", "f", "s"), "ces": ("this", "mf", "p"),
    "ma": ("my", "f", "s"), "ta": ("your", "f", "s"), "sa": ("his", "f", "s"),
    "mon": ("my", "mf", "s"), "ton": ("your", "mf", "s"), "son": ("his", "mf", "s"),
    "mes": ("my", "mf", "p"), "tes": ("your", "mf", "p"), "ses": ("his", "mf", "p"),
    "notre": ("our", "mf", "s"), "nos": ("our", "mf", "p"), "beaucoup": ("many", "mf", "p"),
}  # fmt: skip
SINGULAR, PLURAL = {"a", "an", "this"}, {"these", "two", "many"}
MEANS = {"an": "a", "these": "this", "her": "his"}
PREPOSITIONS = {"de": "of", "dans": "in", "sur": "on", "sous": "under", "près": "near", "derrière": "behind",
                "avec": "with"}  # fmt: skip
CONJUNCTIONS = {"et": "and", "mais": "but", "parce": "because", "quand": "when"}
CONTRACTED = {"du": ("de", "le"), "des": ("de", "les"), "au": ("à", "le"), "aux": ("à", "les")}


def rows(table: str) -> list[list[str]]:
    return [row.split() for row in table.split(",")]


EN_NOUN = {form: (row[0], number) for row in rows(NOUNS) for form, number in zip(row[:2], "sp", strict=True)}
FR_NOUN = {}  # souris → mouse f, s or p
for one, _, un, plusieurs, gender in rows(NOUNS):
    FR_NOUN.setdefault(un, (one, gender, set()))[2].add("s")
    FR_NOUN.setdefault(plusieurs, (one, gender, set()))[2].add("p")
FORMS = [("m", "s"), ("m", "p"), ("f", "s"), ("f", "p"), ("m", "s")]
FR_FRONT, FR_BEHIND = {}, {}  # vieux → old, {(m, s), (m, p)}
for table, meanings in ((FRONT, FR_FRONT), (BEHIND, FR_BEHIND)):
    for english, *forms in rows(table):
        for form, agreement in zip(forms, FORMS, strict=False):
            meanings.setdefault(form, (english, set()))[1].add(agreement)
EN_FRONT, EN_BEHIND = ({row[0] for row in rows(table)} for table in (FRONT, BEHIND))
EN_VERB = {}  # see → see, present, p
FR_VERB, PARTICIPLE = {}, {}
for base, third, past, il, ils, participle in rows(VERBS):
    EN_VERB |= {base: (base, "present", "p"), third: (base, "present", "s"), past: (base, "past", "sp")}
    FR_VERB |= {il: (base, "s"), ils: (base, "p")}
    PARTICIPLE |= {participle + ending: (base, form) for form, ending in ENDINGS.items()}

ENGLISH_WORDS = {
    *(
        *EN_NOUN,
        *EN_FRONT,
        *EN_BEHIND,
        *EN_VERB,
        *MEANS,
        *(meaning for meaning, _, _ in DETERMINERS.values()),
    ),
    *(*PARTICLES.values(), *PREPOSITIONS.values(), *CONJUNCTIONS.values()),
    *("that", "not", "do", "does", "did", "is", "are", "was", "were", "very"),
}
FRENCH_WORDS = {
    *(*FR_NOUN, *FR_FRONT, *FR_BEHIND, *FR_VERB, *PARTICIPLE, *DETERMINERS),
    *(*LINKS.values(), *PREPOSITIONS, *CONJUNCTIONS, *CONTRACTED, "d'", "qu'", "que", "qui"),
    *("ne", "n'", "pas", "a", "ont", "est", "sont", "était", "étaient", "très"),
}


def vowel(word: str) -> bool:
    return bool(re.match("[aeiouéêèôœâî]|h(?!ibou)", word))


# ------------------------------------------------------------------------------------------------ the readers


class Reader:
    """Reads a text once from left to right; `said`: what each part means, and the places that say it."""

    def __init__(self, words: list[tuple[str, int]]):
        self.words, self.said = [*words, ("", -1)], []

    @property
    def here(self) -> str:
        return self.words[0][0]

    def take(self, *expected: str) -> int:
        word, place = self.words.pop(0)
        assert word and (not expected or word in expected), f"{word!r} where {expected or 'a word'} is due"
        return place

    def say(self, meaning: str, *places: int) -> None:
        self.said.append((meaning, {place for place in places if place is not None}))

    def text(self) -> list[tuple[str, set[int]]]:
        head = self.subject()
        if self.here:  # else it was a noun phrase only
            self.predicate(head)
        while self.here:
            self.conjunction()
            self.predicate(self.subject())
        return self.said

    def subject(self):
        first = self.noun_phrase()
        if self.here not in ("and", "et"):
            return first
        self.say("both", self.take())
        return self.both(first, self.noun_phrase())

    def place(self) -> None:
        if self.here in self.prepositions:
            self.preposition()
            self.noun_phrase()


class English(Reader):
    prepositions = frozenset(PREPOSITIONS.values())

    def conjunction(self):
        self.say(self.here, self.take(*CONJUNCTIONS.values()))

    def preposition(self):
        self.say(self.here, self.take())

    def both(self, first, second):
        return "p"

    def noun_phrase(self) -> str:
        """Returns its number."""
        determiner, adjectives = self.here, []
        self.say(MEANS.get(determiner, determiner), self.take())
        assert MEANS.get(determiner, determiner) in {meaning for meaning, _, _ in DETERMINERS.values()}
        assert (determiner == "an") == (self.here[0] in "aeiou") or determiner not in ("a", "an")
        for known in (EN_FRONT, EN_BEHIND):
            if self.here in known:
                adjectives.append(self.here)
                self.say(self.here, self.take())
        noun, number = EN_NOUN[self.here]
        assert number == "s" or determiner not in SINGULAR
        assert number == "p" or determiner not in PLURAL
        self.say(f"{noun} {number}", self.take())
        self.modifier(number)
        return number

    def modifier(self, number):
        if self.here == "that":
            self.say("that", self.take())
            if self.here in EN_VERB or self.here in ("is", "are", "was", "were", "do", "does", "did"):
                self.predicate(number)
            else:
                self.verb(self.noun_phrase())
        else:
            self.place()

    def predicate(self, number):
        if self.here not in ("is", "are", "was", "were"):
            verb = self.verb(number)
            if verb not in ALONE:
                self.noun_phrase()
            return self.place()
        tense = "past" if self.here in ("was", "were") else "present"
        be = self.take("is", "was") if number == "s" else self.take("are", "were")
        self.say("not", *([self.take()] if self.here == "not" else []))
        self.say(f"be {tense}", be)
        if self.here == "very":
            self.say("very", self.take())
            assert self.here in EN_FRONT | EN_BEHIND
        if self.here in EN_FRONT | EN_BEHIND:
            self.say(self.here, self.take())
        else:
            assert self.here in self.prepositions
        self.place()

    def verb(self, number) -> str:
        negation, did = [], []
        if self.here in ("do", "does", "did"):
            past = self.here == "did"
            (did if past else negation).append(self.take("did", "do" if number == "p" else "does"))
            negation.append(self.take("not"))
            verb, tense, form = EN_VERB[self.here]
            assert form == "p"  # the infinitive looks like it
            tense = "past" if past else "present"
        else:
            verb, tense, form = EN_VERB[self.here]
            assert number in form
        places = [self.take()]
        link = [self.take(PARTICLES[verb])] if verb in PARTICLES else []
        self.say("not", *negation)
        self.say("did", *did)
        both = verb in PARTICLES and verb in LINKS
        self.say(f"{verb} {tense}", *places, *([] if both else link))
        self.say("link", *(link if both else []))
        return verb


class French(Reader):
    prepositions = frozenset(PREPOSITIONS)

    def __init__(self, tokens: list[str]):
        """Checks what neighbours demand of each other's spelling, and undoes it."""
        words = []
        for place, (word, after) in enumerate(itertools.pairwise([*tokens, "."])):
            assert (word, after) not in CONTRACTED.values()
            if word in ("l'", "d'", "n'", "qu'"):
                assert vowel(after)
                word = {"l'": "l'", "d'": "de", "n'": "ne", "qu'": "que"}[word]
            elif word in ("le", "la", "de", "ne", "que", "ce", "ma", "ta", "sa", "du", "au"):
                assert not vowel(after), f"{word} {after}"
            words += [(part, place) for part in CONTRACTED.get(word, [word])]
        super().__init__(words)

    def conjunction(self):
        meaning, first = CONJUNCTIONS[self.here], self.take()
        self.say(meaning, first, *([self.take("que")] if meaning == "because" else []))

    def preposition(self):
        meaning, first = PREPOSITIONS[self.here], self.take()
        self.say(meaning, first, *([self.take("de")] if meaning == "near" else []))

    def both(self, first, second):
        return "f" if first[0] == second[0] == "f" else "m", "p"

    def noun_phrase(self, *, denied: bool = False) -> tuple[str, str]:
        """Returns its gender and number."""
        determiner, places, front, behind = self.here, [self.take()], None, None
        if determiner == "beaucoup":
            places.append(self.take("de"))
        if denied:
            assert determiner not in ("un", "une")  # pas de chat
        meaning, genders, numbers = (
            ("a", "mf", "s") if denied and determiner == "de" else DETERMINERS[determiner]
        )
        after = self.here
        if self.here in FR_FRONT:
            adjective, forms = FR_FRONT[self.here]
            front = self.here, adjective, forms, self.take()
        noun, gender, own_numbers = FR_NOUN[self.here]
        [number] = own_numbers & set(numbers)
        assert gender in genders
        if determiner in ("mon", "ton", "son"):
            assert gender == "m" or vowel(after)
        if determiner == "cet":
            assert vowel(after)
        if front:
            assert (gender, number) in front[2]
            if (gender, number) == ("m", "s"):
                assert front[0] not in (
                    ("beau", "nouveau", "vieux") if vowel(self.here) else ("bel", "nouvel", "vieil")
                )
        place = self.take()
        if self.here in FR_BEHIND:
            adjective, forms = FR_BEHIND[self.here]
            assert (gender, number) in forms
            behind = adjective, self.take()
        self.say(meaning, *places)
        if front:
            self.say(front[1], front[3])
        if behind:
            self.say(*behind)
        self.say(f"{noun} {number}", place)
        self.modifier((gender, number))
        return gender, number

    def modifier(self, head):
        if self.here == "qui":
            self.say("that", self.take())
            self.predicate(head)
        elif self.here == "que":
            self.say("that", self.take())
            verb, _ = self.verb(self.noun_phrase(), earlier=head)
            assert verb not in LINKS
        else:
            self.place()

    def predicate(self, head):
        skip = self.here == "ne"
        finite, then = self.words[skip][0], self.words[1 + 2 * skip][0]
        if finite in ("était", "étaient") or (finite in ("est", "sont") and then not in PARTICIPLE):
            return self.being(head)
        verb, negated = self.verb(head)
        if verb not in ALONE:
            self.noun_phrase(denied=negated and verb not in LINKS)
        return self.place()

    def being(self, head):
        ne = [self.take()] if self.here == "ne" else []
        tense = "past" if self.here.startswith("ét") else "present"
        be = self.take("est", "était") if head[1] == "s" else self.take("sont", "étaient")
        self.say("not", *ne, *([self.take("pas")] if ne else []))
        self.say(f"be {tense}", be)
        adjectives = FR_FRONT | FR_BEHIND
        if self.here == "très":
            self.say("very", self.take())
            assert self.here in adjectives
        if self.here in adjectives:
            assert self.here not in ("bel", "nouvel", "vieil")
            adjective, forms = adjectives[self.here]
            assert head in forms
            self.say(adjective, self.take())
        else:
            assert self.here in self.prepositions
        self.place()

    def verb(self, head, *, earlier=("m", "s")) -> tuple[str, bool]:
        ne = [self.take()] if self.here == "ne" else []
        finite, places = self.here, [self.take()]
        negation = [*ne, self.take("pas")] if ne else []
        did, tense = [], "present"
        if finite in FR_VERB:
            verb, number = FR_VERB[finite]
            assert number == head[1]
        else:
            verb, form = PARTICIPLE[self.here]
            tense, participle = "past", self.take()
            assert form == (head if verb in WITH_BE else earlier)
            kinds = ("est", "sont") if verb in WITH_BE else ("a", "ont")
            assert finite == kinds[head[1] == "p"]
            did, places = (places, [participle]) if ne else ([], [*places, participle])
        link = [self.take(LINKS[verb])] if verb in LINKS else []
        both = verb in PARTICLES and verb in LINKS
        self.say("not", *negation)
        self.say("did", *did)
        self.say(f"{verb} {tense}", *places, *([] if both else link))
        self.say("link", *(link if both else []))
        return verb, bool(ne)


def judged(pair: Pair) -> set[tuple[int, int]]:
    """The alignment, after both sides have been found right and each other's translation."""
    source = English([(word, place) for place, word in enumerate(pair.source)]).text()
    target = French(list(pair.target)).text()
    assert [meaning for meaning, _ in source] == [meaning for meaning, _ in target]
    tenses = {meaning.split()[1] for meaning, _ in source if meaning.endswith((" past", " present"))}
    assert len(tenses) <= 1
    return {
        link
        for (_, ours), (_, theirs) in zip(source, target, strict=True)
        for link in itertools.product(ours, theirs)
    }
