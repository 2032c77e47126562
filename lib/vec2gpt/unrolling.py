"""One loop over time, for networks that read and for all that write.

Whatever goes token by token, a cell that reads, a decoder that writes, a search, is one function applied
again and again to a state. It is written here once, so that it can also become one operator of a graph.

Left out: time anywhere but on axis 1.
"""

from functools import partial

import torch
from torch.utils import _pytree as pytree

# torch before 2.7 has no such question, and cannot export a loop either
is_exporting = getattr(torch.compiler, "is_exporting", lambda: False)


def unroll(step, state, inputs, *, until=None):
    """Apply `step(state, x_t) -> (state, out_t)` along axis 1 of every tensor in `inputs`.

    `state`, `inputs` and the `out_t` are tensors, or nested tuples of them, batch first. No step follows one
    after which `until(state)` is true.
    Returns the last state, and the outputs stacked along axis 1.

    This is the only loop over time in the library. While a model is exported it becomes one scan operator, so
    that the graph serves any length, not only the length of the example; the graph takes all steps, whatever
    `until` says. Export under `torch.no_grad()`.

    >>> unroll(lambda total, x: (total + x, total + x), torch.zeros(1), torch.tensor([[1.0, 2.0, 3.0]]))
    (tensor([6.]), tensor([[1., 3., 6.]]))
    """
    leaves, tree = pytree.tree_flatten(inputs)
    length = leaves[0].shape[1]
    if is_exporting() and not (isinstance(length, int) and length == 1):  # a single step needs no operator
        return _scan(step, state, leaves, tree)
    if length == 0:
        raise ValueError("there is no step to take: the inputs have length 0 along axis 1; give at least one")
    outputs = []
    for x in zip(*(leaf.unbind(1) for leaf in leaves), strict=True):
        state, out = step(state, pytree.tree_unflatten(list(x), tree))
        outputs.append(out)
        if until is not None and not is_exporting() and until(state):
            break
    return state, pytree.tree_map(lambda *steps: torch.stack(steps, 1), *outputs)


def _scan(step, state, inputs, inputs_tree):
    """The loop of `unroll` as one operator of a graph, which works on flat lists of tensors, time first."""
    from torch._higher_order_ops.scan import scan  # a prototype, needed here alone

    state, state_tree = pytree.tree_flatten(state)

    def pure(state, x):  # the operator forbids that an output is also an input or another output
        state, out = step(pytree.tree_unflatten(state, state_tree), pytree.tree_unflatten(x, inputs_tree))
        return pytree.tree_map(torch.clone, (pytree.tree_leaves(state), pytree.tree_leaves(out)))

    first = pytree.tree_unflatten([leaf[:, 0] for leaf in inputs], inputs_tree)
    _, example = step(pytree.tree_unflatten(state, state_tree), first)  # its structure; the graph drops it
    # cloned, not .contiguous(): a batch of 1 counts as contiguous whatever its strides, and strides that
    # depend on a free length cannot be exported
    fresh = partial(torch.clone, memory_format=torch.contiguous_format)
    state, out = scan(pure, [fresh(leaf) for leaf in state], [fresh(leaf.transpose(0, 1)) for leaf in inputs])
    out = pytree.tree_unflatten([leaf.transpose(0, 1) for leaf in out], pytree.tree_structure(example))
    return pytree.tree_unflatten(state, state_tree), out
