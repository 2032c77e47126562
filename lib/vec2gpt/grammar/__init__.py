"""Generated English sentences, their French translations, and which word renders which.

`generator` draws them, `syntax` says a sentence in both languages, `lexicon` holds the words.
"""

from vec2gpt.grammar.generator import LONGEST, SHORTEST, Pair, pair, pair_of, split, vocabularies

__all__ = ["LONGEST", "SHORTEST", "Pair", "pair", "pair_of", "split", "vocabularies"]
