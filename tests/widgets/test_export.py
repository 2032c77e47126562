"""What a page runs is what torch computes: every widget's graph, from length 1 to the longest."""

from functools import partial

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from vec2gpt.attentive import AttentionConfig, AttentionSeq2Seq
from vec2gpt.gpt import GPT, TODAY, GPTConfig
from vec2gpt.hub import checkpoints
from vec2gpt.language import LanguageModelConfig, RecurrentLanguageModel
from vec2gpt.positions import POSITIONS
from vec2gpt.seq2seq import Seq2Seq, Seq2SeqConfig
from vec2gpt.transformer import Transformer, TransformerConfig
from vec2gpt.vectors import WordVectors
from vec2gpt.widgets import (
    arithmetic,
    calculator,
    gradient,
    heads,
    repaint,
    say,
    softmax,
    training_map,
    tree,
    valves,
    waves,
    writer,
)
from vec2gpt.widgets.export import SMALL, _drop_unused, _read, publish, to_onnx

pytestmark = pytest.mark.slow  # an export takes seconds
torch.manual_seed(0)


def softmax_case():
    questions = [{"logits": torch.randn(1, k), "temperature": torch.rand(1) + 0.1} for k in (5, 1, 2, 40)]
    return softmax.Softmax(), questions, ["probabilities", "entropy"], {"logits": [1]}


def valves_case(model=None):
    model = model or checkpoints.load("shakespeare-lstm").model
    module = valves.Valves(model)

    def question(length):
        shape = 1, length, len(module.kind.gates)
        return {
            "ids": torch.randint(model.config.vocab_size, (1, length)),
            "held": torch.where(torch.rand(shape) > 0.7, torch.rand(shape), -1.0),
            "unit": torch.randint(model.config.hidden, (1,)),
        }

    questions = [question(n) for n in (12, 1, 2, valves.LIMIT)]
    names = ["trace", "surprise", "guesses", "probabilities"]
    return module, questions, names, {"ids": [1], "held": [1]}


def gru_valves_case():
    model = RecurrentLanguageModel(LanguageModelConfig(84, cell="gru"))
    for weight in model.parameters():
        weight.data = (4 * weight.data).half().float()  # as a page keeps them; no ties among the guesses
    return valves_case(model)


def repaint_case(**options):
    config = AttentionConfig(29, 42, width=24, hidden=32, **options)
    model = AttentionSeq2Seq(config)
    for weight in model.parameters():
        weight.data = (4 * weight.data).half().float()  # as a page keeps them; no ties among the choices

    def question(length, temperature):
        painted, rows = (
            torch.rand(1, repaint.STEPS, length).softmax(-1),
            torch.rand(1, repaint.STEPS, 1) > 0.7,
        )
        return {
            "source_ids": torch.randint(3, 29, (1, length)),
            "painted": torch.where(rows, painted, -1.0),
            "temperature": torch.tensor([temperature]),
        }

    questions = [question(*one) for one in ((7, 1.0), (1, 2.0), (2, 0.5), (repaint.LIMIT + 1, 5.0))]
    names = ["ids", "weights", "probabilities"]
    return repaint.Repaint(model), questions, names, {"source_ids": [1], "painted": [2]}


def bahdanau_repaint_case():
    return repaint_case(score="additive", attention="bahdanau")


def writer_case():
    """Today's choices: rotary positions, RMS norm, gates, shared keys and values; the graph's own weights."""
    model = GPT(GPTConfig(84, context=32, layers=2, heads=6, width=48, **TODAY))
    for weight in [*model.parameters(), *model.buffers()]:
        if weight.numel() >= SMALL:  # they are stored as float16
            weight.data = weight.data.half().float()

    def question(length, count):
        return {
            "ids": torch.randint(84, (1, length)),
            "u": torch.rand(1, count),
            "temperature": torch.tensor([0.9]),
            "top_k": torch.tensor([20]),
            "top_p": torch.tensor([0.9]),
        }

    sizes = (10, writer.STRIDE), (1, 1), (2, 5), (1, 31), (31, 1), (16, 16)
    return writer.Writer(model), [question(*size) for size in sizes], writer.OUTPUTS, {"ids": [1], "u": [1]}


def arithmetic_case(size=400, dim=50):
    vectors = WordVectors([f"w{k}" for k in range(size)], torch.randn(size, dim))

    def question(ids, allowed):
        return {"ids": torch.tensor(ids), "allowed": torch.tensor([allowed])}

    asked = [[3, 1, 4], [0, 0, 0], [5, 6, -1], [2, -1, -1], [-1, 7, -1], [-1, 0, 8], [9, -1, 2], [6, 2, 6]]
    asked += [[size - 1, 0, -1], [1, 1, 2]]  # the last word, and a − a + c
    questions = [question(ids, allowed) for ids in asked for allowed in (0, 1)]
    return arithmetic.Arithmetic(vectors), questions, ["nearest", "cosines", "asked", "places", "off"], {}


def smallest_arithmetic_case():
    return arithmetic_case(arithmetic.SMALLEST, dim=3)


def training_map_case(stations=5, size=40, shown=(3, 1, 7, 30)):
    model = training_map.TrainingMap(torch.randn(stations, size, 10), torch.tensor(shown))
    times = [0.0, 0.25, 1.0, stations - 1.01, stations - 1.0]
    questions = [
        {"position": torch.tensor([time]), "word": torch.tensor([word])}
        for time in times
        for word in (0, size // 2, size - 1)
    ]
    return model, questions, ["places", "here", "trail", "nearest", "cosines"], {}


def smallest_training_map_case():
    return training_map_case(stations=2, size=6, shown=(0, 1, 2))


def gradient_question(length, scale, activation, threshold):
    return {
        "ids": torch.randint(84, (1, length)),
        "target": torch.randint(84, (1,)),
        "scale": torch.tensor([scale]),
        "activation": torch.tensor([activation]),
        "threshold": torch.tensor([threshold]),
    }


def gradient_case():
    module = gradient.GradientThroughTime(gradient.fresh_models(84)["random U"])
    settings = [(0.8, 0, np.inf), (1.0, 1, 0.01), (1.0, 2, 0.5), (1.1, 0, 0.1)]
    lengths = (20, 1, 2, 7, gradient.LIMIT)
    questions = [gradient_question(length, *one) for length in lengths for one in settings]
    return module, questions, ["norms", "slopes", "shares", "sizes", "spectrum"], {"ids": [1]}


def say_case(**options):
    model = Seq2Seq(Seq2SeqConfig(29, 42, bos=40, eos=41, width=24, hidden=32, **options))
    for weight in model.parameters():
        weight.data = (4 * weight.data).half().float()  # as a page keeps them; no ties among the choices
    questions = [{"source_ids": torch.randint(3, 29, (1, n))} for n in (8, 1, 2, say.LIMIT + 1)]
    return say.Say(model), questions, ["ids", "choices", "probabilities"], {"source_ids": [1]}


def lstm_say_case():
    return say_case(encoder="lstm", decoder="lstm", encoder_layers=2, decoder_layers=2, handover="every step")


def bridged_say_case():
    return say_case(bidirectional=True, handover="concat")


def tree_case():
    model = Seq2Seq(Seq2SeqConfig(29, 12, width=16, hidden=24)).eval()
    for weight in model.parameters():
        weight.data = (4 * weight.data).half().float()  # as a page keeps them; far from ties

    def question(length, width, alpha, temperature, top_k, top_p, draw):
        return {
            "source_ids": torch.randint(3, 29, (1, length)),
            "width": torch.tensor([width]),
            "alpha": torch.tensor([alpha]),
            "temperature": torch.tensor([temperature]),
            "top_k": torch.tensor([top_k]),
            "top_p": torch.tensor([top_p]),
            "draw": torch.tensor([draw]),
        }

    asked = [(8, 3, 1.0, 1.0, 12, 1.0, 0), (1, 1, 0.0, 2.0, 12, 1.0, 1), (2, 8, 2.0, 0.1, 1, 1.0, 2)]
    asked += [(5, 8, 0.0, 1.5, 4, 0.5, 7), (tree.LIMIT + 1, 2, 0.6, 1.0, 12, 0.05, 999)]
    return tree.SearchTree(model), [question(*one) for one in asked], tree.OUTPUTS, {"source_ids": [1]}


def heads_case(**options):
    sizes = {"width": 24, "heads": 3, "inner": 32, "context": 24, "encoder_layers": 2, "decoder_layers": 1}
    model = Transformer(TransformerConfig(29, 42, **sizes | options)).eval()
    for buffer in [*model.parameters(), *model.buffers()]:
        buffer.data = (2 * buffer.data).half().float()  # as a page keeps them; no ties among the choices

    def question(length, causal, share):
        switches = [(torch.rand(2, 4) < share).float() for _ in range(3)]  # for a larger model too
        names = ("encoder_on", "decoder_on", "cross_on")
        ids = torch.randint(3, 29, (1, length))
        return {
            "source_ids": ids,
            **dict(zip(names, switches, strict=True)),
            "causal": torch.tensor([causal]),
        }

    asked = [(7, 1, 2), (1, 0, 0.5), (1, 1, 2), (2, 1, 0.5), (heads.LIMIT + 1, 0, 0.7), (5, 0, 2), (9, 1, 0)]
    return heads.Heads(model), [question(*one) for one in asked], heads.OUTPUTS, {"source_ids": [1]}


def rotary_heads_case():
    return heads_case(positions="rotary", residual="post", eos=20)  # an end that may come at any step


def waves_case(name="sinusoidal"):
    positions = POSITIONS[name](32, context=24, head_width=32)
    for table in [*positions.parameters(), *positions.buffers()]:
        table.data = table.data.half().float()  # as a page keeps them
    vectors = [torch.zeros(2, 1, 32), torch.randn(2, 1, 32)]
    questions = [{"query": query, "key": key} for query, key in vectors]
    return waves.Waves(positions, 20), questions, ["told", "scores"], {}


def learned_waves_case():
    return waves_case("learned")


def rotary_waves_case():
    return waves_case("rotary")


def calculator_case():
    asked = [((768, 1536), (128, 4, 1, 1, 64)), ((16, 32), (8, 8, 1, 1, 1))]
    asked += [((1000, 2000), (96, 3, 2, 5, 700)), ((2**20, 2**21), (16_384, 128, 128, 1024, 2**20))]
    questions = [{"lengths": torch.tensor(n), "shape": torch.tensor(shape)} for n, shape in asked]
    return calculator.Calculator(), questions, calculator.OUTPUTS, {}


CASES = [softmax_case, valves_case, gru_valves_case, repaint_case, bahdanau_repaint_case, writer_case]
CASES += [arithmetic_case, smallest_arithmetic_case, training_map_case, smallest_training_map_case]
CASES += [gradient_case, say_case, lstm_say_case, bridged_say_case, tree_case]
CASES += [heads_case, rotary_heads_case, waves_case, learned_waves_case, rotary_waves_case, calculator_case]


@pytest.mark.parametrize("case", CASES)
def test_the_graph_answers_as_torch_does_at_every_length(case):
    module, questions, names, lengths = case()
    module.eval()
    session = onnxruntime.InferenceSession(to_onnx(module, questions[0], names, lengths))
    for question in questions:
        with torch.no_grad():
            expected = module(*question.values())
        answers = session.run(None, {name: value.numpy() for name, value in question.items()})
        for name, value, answer in zip(names, expected, answers, strict=True):
            assert answer.shape == tuple(value.shape), name
            if value.is_floating_point():
                assert np.abs(answer - value.numpy()).max() < 2e-4, name
            elif name != "choices":  # near ties among the others may change places
                assert (answer == value.numpy()).all(), name


def test_words_that_cancel_have_no_neighbours_in_the_graph_either():
    module, questions, names, lengths = arithmetic_case()
    session = onnxruntime.InferenceSession(to_onnx(module, questions[0], names, lengths))
    question = {"ids": np.array([5, 5, -1]), "allowed": np.array([0])}
    _, cosines, *rest = session.run(None, question)  # which ten of all that tie is left open
    assert (cosines == 0).all() and all(np.isfinite(value).all() for value in rest)


def test_a_gradient_beyond_float32_is_beyond_it_in_the_graph_too():
    module, questions, names, lengths = gradient_case()
    session = onnxruntime.InferenceSession(to_onnx(module, questions[0], names, lengths))
    for scale, fits in {0.1: True, 2.3: True, 3.0: False}.items():
        question = gradient_question(gradient.LIMIT, scale, 2, np.inf)
        with torch.no_grad():
            norms, *_ = module(*question.values())
        answer, *_ = session.run(None, {name: value.numpy() for name, value in question.items()})
        assert np.isfinite(answer).all() == norms.isfinite().all() == fits
        if fits:  # from 1e-38 to 1e36
            assert answer[0] == pytest.approx(norms[0].numpy(), rel=1e-2, abs=1e-37)


def small():
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(40, 40), nn.Tanh())


class One(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = small()

    def forward(self, x):
        return (self.inner(x),)


def test_an_export_is_the_same_every_time_and_holds_no_path_of_this_machine():
    example = {"x": torch.zeros(1, 40)}
    first, second = (to_onnx(One(), example, ["y"], {}) for _ in range(2))
    assert first == second
    assert b"/site-packages" not in first and b".py" not in first


def test_large_weights_are_stored_in_half_precision():
    weights = onnx.load_from_string(to_onnx(One(), {"x": torch.zeros(1, 40)}, ["y"], {})).graph.initializer
    kinds = {w.data_type for w in weights if np.prod(w.dims) >= 1024}
    assert kinds == {onnx.TensorProto.FLOAT16}


def a_graph_with_a_loop():
    """y = x + a, and a loop that reads b; nobody reads c, and d is an output as it is."""
    add, node = onnx.helper.make_node("Add", ["x", "a"], ["y"]), onnx.helper.make_node("Neg", ["b"], ["z"])
    number = partial(onnx.helper.make_tensor_value_info, elem_type=onnx.TensorProto.FLOAT, shape=[1])
    body = onnx.helper.make_graph([node], "body", [], [number("z")])
    loop = onnx.helper.make_node("Scan", ["x"], ["s"], body=body, num_scan_inputs=1)
    constants = [onnx.helper.make_tensor(name, onnx.TensorProto.FLOAT, [1], [0.0]) for name in "abcd"]
    outputs = [number("y"), number("d")]
    return onnx.helper.make_graph([add, loop], "graph", [number("x")], outputs, initializer=constants)


def test_what_a_graph_reads_is_read_by_its_nodes_its_loops_or_who_asks_for_it():
    assert _read(a_graph_with_a_loop()) == {"x", "a", "b", "d", "y", "z"}


def test_only_constants_that_nothing_reads_are_left_out():
    graph = a_graph_with_a_loop()
    _drop_unused(graph)
    assert [constant.name for constant in graph.initializer] == ["a", "b", "d"]
    assert len(graph.node) == 2


def test_inputs_with_the_same_example_stay_two():
    class Difference(nn.Module):
        def forward(self, x, y):
            return x - y

    same = torch.ones(1, 2)
    session = onnxruntime.InferenceSession(to_onnx(Difference(), {"x": same, "y": same}, ["z"], {}))
    given = {"x": np.float32([[5, 7]]), "y": np.float32([[1, 2]])}
    assert session.run(None, given)[0].tolist() == [[4, 5]]


def test_a_published_file_is_named_by_its_content(tmp_path):
    example, module = {"x": torch.zeros(1, 40)}, One()
    first, again = (publish(tmp_path, "One: a", module, example, ["y"], {}) for _ in range(2))
    assert first == again and first.startswith("one-a-") and (tmp_path / "models" / first).stat().st_size
    with torch.no_grad():
        module.inner[0].weight += 1
    assert publish(tmp_path, "One: a", module, example, ["y"], {}) != first
    assert len(list(tmp_path.rglob("*"))) == 3  # the folder and two models: nothing half-written
