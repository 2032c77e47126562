"""The understanding ladder: opinions, and whatever else a tuned model is asked."""

from functools import partial

from vec2gpt.recipes.checkpoint import CheckpointRecipe
from vec2gpt.recipes.table import TableRecipe
from vec2gpt.recipes.understanding import (
    domains,
    finding_names,
    pseudo_labels,
    taught,
    two_tasks,
    understanding,
    ways,
)

RECIPES = {
    "opinions-bert": CheckpointRecipe(
        about="for or against: prose-bert tuned on the opinions of four domains, with MiniLM for a teacher",
        task=partial(taught.task, size=32),
        model=taught.model,
        learner=taught.Taught,
        steps=3000,
        lr=1e-3,
    ),
    "understanding-ladder": TableRecipe(
        about="reviews for or against, told apart after 50 to 2,400 of them: word counts to MiniLM",
        axes=understanding.AXES,
        experiment=understanding.experiment,
    ),
    "domains": TableRecipe(
        about="MiniLM tuned on the opinions of one domain or more, then of another, and judged on all four",
        axes=domains.AXES,
        experiment=domains.experiment,
    ),
    "tuning-ways": TableRecipe(
        about="MiniLM tuned on 200 reviews: which layers learn, when, how fast, and at which rate",
        axes=ways.AXES,
        experiment=ways.experiment,
    ),
    "names": TableRecipe(
        about="who is named in Shakespeare's plays: looked up, by capitals, and by BERTs; plays held out",
        axes=finding_names.AXES,
        experiment=finding_names.experiment,
    ),
    "two-tasks": TableRecipe(
        about="one BERT with two heads, opinion and domain: each alone, and both together",
        axes=two_tasks.AXES,
        experiment=two_tasks.experiment,
    ),
    "pseudo-labels": TableRecipe(
        about="200 rated reviews, and labels that MiniLM gives others: how many are right, what they bring",
        axes=pseudo_labels.AXES,
        experiment=pseudo_labels.experiment,
    ),
}
