"""A PyTorch program that the speed benchmark runs beside Dragoman (src/bench/peer.ts).

    python serve.py PROGRAM        PROGRAM is layer, product, addition, adam, training or decoding

It answers one JSON object a line:

    {"prepare": JOB}  ->  {"ready": {"amount": units of work in a run}}     builds what the job describes
    {"run": N}        ->  {"ms": milliseconds}                              does it N times, by its own clock
    {"memory": true}  ->  {"mib": largest resident size since the start}

What cannot be done is {"error": "why"}. The process stays until its input ends, so that a run costs no start.
"""
import importlib
import json
import os
import resource
import sys
import time


def answer(module, state, request):
    if "prepare" in request:
        job = request["prepare"]
        import torch

        torch.set_num_threads(job["threads"])
        torch.set_flush_denormal(True)
        torch.manual_seed(job["seed"])
        state["work"], amount = module.prepare(job)
        return {"ready": {"amount": amount, "torch": torch.__version__}}
    if "run" in request:
        begin = time.perf_counter()
        for _ in range(request["run"]):
            state["work"]()
        return {"ms": (time.perf_counter() - begin) * 1e3}
    if "memory" in request:
        return {"mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}
    raise ValueError(f"unknown request {request}")


def main():
    # Results have the standard output for themselves; what a library prints goes to the standard error.
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    module = importlib.import_module(sys.argv[1])
    state = {}
    for line in sys.stdin:
        try:
            reply = answer(module, state, json.loads(line))
        except Exception as error:  # whatever went wrong is told to who asked, in one line
            reply = {"error": f"{type(error).__name__}: {error}".splitlines()[0]}
        out.write(json.dumps(reply) + "\n")
        out.flush()


if __name__ == "__main__":
    main()
