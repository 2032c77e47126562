"""Chapter 1: what word vectors reach on parts of a text."""

from vec2gpt.recipes.table import TableRecipe
from vec2gpt.recipes.words import word_vectors

RECIPES = {
    "word-vectors": TableRecipe(
        about="PPMI and SVD, CBOW, skip-gram on parts of a text: how well they agree with people",
        axes=word_vectors.AXES,
        experiment=word_vectors.experiment,
    ),
}
