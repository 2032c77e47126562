"""vec2gpt.hub.minilm: the pretrained model in our classes reads what transformers reads with its weights."""

import pytest
import torch
import torch.nn.functional as F
from tokenizers import BertWordPieceTokenizer
from transformers import BertModel

from vec2gpt import corpora
from vec2gpt.bert import Bert, BertConfig
from vec2gpt.hub import minilm
from vec2gpt.wordpiece import WordPiece

TEXTS = [
    "A cat sleeps on the mat.",
    "The kitten naps.",
    "Share prices fell sharply today, and naïve investors lost a lot of money; 猫 did not.",
    "Hmm",
]

# ---- the real weights ----


@pytest.fixture(scope="module")
def loaded():
    return minilm.load()


@pytest.fixture(scope="module")
def reference():
    return BertModel.from_pretrained(corpora.fetch("minilm")).eval()


@pytest.fixture(scope="module")
def encoded():
    """TEXTS as the package `tokenizers` cuts them: ids and which of them are tokens."""
    theirs = BertWordPieceTokenizer(str(corpora.member("minilm", "vocab.txt")))
    theirs.enable_padding()
    rows = theirs.encode_batch(TEXTS)
    return torch.tensor([row.ids for row in rows]), torch.tensor([row.attention_mask for row in rows])


@pytest.mark.slow
def test_what_it_reads_is_what_theirs_reads(loaded, reference, encoded):
    ids, mask = encoded
    segments = torch.arange(ids.shape[1]).expand_as(ids) % 2
    with torch.no_grad():
        for given in (None, segments):
            expected = reference(input_ids=ids, attention_mask=mask, token_type_ids=given).last_hidden_state
            found = loaded.model(ids, given)
            error = (found - expected)[mask.bool()].abs().max() / expected.abs().max()
            assert error < 1e-4


@pytest.mark.slow
def test_a_texts_vector_is_the_mean_of_its_tokens_as_theirs_is(loaded, reference, encoded):
    ids, mask = encoded
    with torch.no_grad():
        x = reference(input_ids=ids, attention_mask=mask).last_hidden_state
    pooled = (x * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)  # as on the model's own page
    torch.testing.assert_close(minilm.embed(TEXTS), F.normalize(pooled), atol=1e-5, rtol=0)
    torch.testing.assert_close(minilm.embed(TEXTS, encoder=loaded), F.normalize(pooled), atol=1e-5, rtol=0)


@pytest.mark.slow
def test_texts_that_mean_the_same_point_the_same_way(loaded):
    cat, kitten, shares, _ = minilm.embed(TEXTS, encoder=loaded)
    assert cat @ kitten > 0.5 > 0.2 > cat @ shares


@pytest.mark.slow
def test_it_has_the_papers_size_and_every_loaded_model_is_your_own(loaded):
    c = loaded.model.config
    assert (c.layers, c.width, c.heads, c.inner, c.context) == (6, 384, 12, 1536, 512)
    assert len(loaded.tokens) == c.vocab_size
    pooler = 384 * 384 + 384  # which ours leaves behind
    assert sum(weight.numel() for weight in loaded.model.parameters()) == 22_713_216 - pooler
    other = minilm.load()
    other.model.embedding.token.weight.data.zero_()
    assert loaded.model.embedding.token.weight.any() and minilm.embed(["still there"]).isfinite().all()


# ---- how texts are read, on a small model ----

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "c", "##d"]


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A model of random weights for texts of a, b, c, ad, bd, cd."""
    path = tmp_path_factory.mktemp("small") / "vocab.txt"
    path.write_text("\n".join(WORDS) + "\n", encoding="utf-8")
    torch.manual_seed(0)
    config = BertConfig(len(WORDS), context=9, width=8, heads=2, inner=12, layers=2)
    return minilm.MiniLM(Bert(config).eval(), WordPiece.load(path))


def alone(small, ids):
    """The vector of one text, by its definition."""
    with torch.no_grad():
        return F.normalize(small.model(torch.tensor([ids]))[0].mean(0), dim=0)


def test_the_rows_stand_between_their_marks(small):
    assert minilm.rows(["a bd", "c"], small.tokens, context=9) == [[2, 5, 6, 8, 3], [2, 7, 3]]


def test_each_text_has_the_vector_that_it_has_alone(small):
    texts = ["a b c a b", "c", "ad b", "b", "cd cd", "a z"]
    found = minilm.embed(texts, encoder=small, batch=4)
    rows = [[2, 5, 6, 7, 5, 6, 3], [2, 7, 3], [2, 5, 8, 6, 3], [2, 6, 3], [2, 7, 8, 7, 8, 3], [2, 5, 1, 3]]
    expected = torch.stack([alone(small, ids) for ids in rows])
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)
    assert not found.requires_grad
    for batch in (1, 100):
        torch.testing.assert_close(
            minilm.embed(texts, encoder=small, batch=batch), expected, atol=1e-6, rtol=0
        )


def test_vectors_can_be_tuned(small):
    ids = torch.tensor([[2, 5, 3, 0], [2, 6, 7, 3]])
    found = minilm.vectors(small.model, ids)
    torch.testing.assert_close(found.detach().norm(dim=1), torch.ones(2))
    (gradient,) = torch.autograd.grad(found[0, 0], small.model.embedding.token.weight)
    assert gradient[5].any() and not gradient[[0, 6, 7]].any()  # its own tokens alone, and no padding


def test_of_a_long_text_only_as_much_is_read_as_is_said(small):
    text = "a b c a b c a b"
    torch.testing.assert_close(
        minilm.embed([text], encoder=small, limit=5), minilm.embed(["a b c"], encoder=small)
    )
    assert len(minilm.rows([text], small.tokens, context=9, limit=9)[0]) == 9
    assert len(minilm.rows([text[:13]], small.tokens, context=9)[0]) == 9  # it just fits


@pytest.mark.parametrize(
    ("texts", "options", "message"),
    [
        ([], {}, r"texts are \[\]: give a list of one text or more"),
        ("a b", {}, "texts are 'a b': give a list of one text or more"),
        (["a", ""], {}, "text 1 has no tokens: ''; leave it out"),
        (["a", " \t\n"], {}, r"text 1 has no tokens: ' \\t\\n'; leave it out"),
        (
            ["a", "a b c a b c a b"],
            {},
            "text 1 has 10 tokens, too long for this model's context of 9",
        ),
        (["a " * 10_000], {}, "text 0 has 10002 tokens"),
        (["a"], {"limit": 2}, r"limit is 2: give 3 … 9 tokens"),
        (["a"], {"limit": 10}, r"limit is 10: give 3 … 9 tokens"),
        (["a"], {"batch": 0}, "batch is 0: give at least 1"),
    ],
    ids=str,
)
def test_what_cannot_be_read_is_said(small, texts, options, message):
    with pytest.raises(ValueError, match=message):
        minilm.embed(texts, encoder=small, **options)
