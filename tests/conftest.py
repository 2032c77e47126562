"""For all tests: one thread, since on small tensors two only wait for each other."""

import torch

torch.set_num_threads(1)
