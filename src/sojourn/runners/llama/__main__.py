"""The child: `python -m sojourn.runners.llama` reads one JSON line, serves, and ends when its stdin ends.

The parent holds the other end of stdin and never writes again, so an end of file says that it closed the pipe or that
it is dead, however it died; no signal and no process id is involved.
"""

import json
import os
import sys

import xllamacpp

_MAX_THREADS = 4
_SLOTS = 2
_SLOT_TOKENS = 4096
_ANSWER_TOKENS = 256


def _usable_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


def _parameters(model_path: str, alias: str, api_key: str) -> xllamacpp.CommonParams:
    parameters = xllamacpp.CommonParams()
    parameters.model.path = model_path
    parameters.model_alias = {alias}
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    # Any web page that this machine's user opens can reach loopback; without the key it is turned away.
    parameters.api_keys = [api_key]
    parameters.ui = False
    parameters.endpoint_slots = False
    parameters.verbosity = 2
    parameters.n_parallel = _SLOTS
    parameters.n_ctx = _SLOTS * _SLOT_TOKENS
    # One core is left to the server that asks. llama.cpp's threads meet at spinning barriers: with a thread on every
    # core and another program on one of them, two cores gave 3 tokens a second instead of 80.
    threads = max(1, min(_MAX_THREADS, _usable_cores() - 1))
    for cpu in (parameters.cpuparams, parameters.cpuparams_batch):
        cpu.n_threads = threads
        cpu.poll = 0
    # A model of this size repeats itself and never ends unless it is held back.
    parameters.n_predict = _ANSWER_TOKENS
    parameters.sampling.temp = 0.2
    parameters.sampling.top_p = 0.9
    parameters.sampling.penalty_repeat = 1.1
    return parameters


def main() -> None:
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    # Whatever native code prints must not be taken for the answer.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    order = json.loads(sys.stdin.readline())
    server = xllamacpp.Server(_parameters(order["model_path"], order["alias"], order["api_key"]))
    print(server.listening_address.rpartition(":")[2], file=answers, flush=True)
    sys.stdin.read()
    # Not a return: destroying the server waits for the streams that it is sending.
    os._exit(0)


if __name__ == "__main__":
    main()
