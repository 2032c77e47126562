"""From model to assistant: a GPT that is led by what people prefer."""

from vec2gpt.recipes.assistant import leash

RECIPES = {"leash": leash.RECIPE}
