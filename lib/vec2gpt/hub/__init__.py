"""Where models come from and go to: checkpoints of our own, and the weights of other libraries."""
