# Every command is `python3 -m tasks NAME`; this file is the shorter way to type it. `make` lists them.
# Options go in ARGS, as in: make serve ARGS="--port 9000"
PYTHON ?= python3
COMMANDS = setup serve book test test-fast soak notebooks checkpoints bench colab clean

help:
	@$(PYTHON) -m tasks help

$(COMMANDS):
	@$(PYTHON) -m tasks $@ $(ARGS)

clean-all:
	@$(PYTHON) -m tasks clean all

.PHONY: help clean-all $(COMMANDS)
