"""Greedy and beam search with the weights of a Dragoman model folder.

The sources are sorted by length and cut into batches; finished sentences leave their batch; what attention needs of
the source is computed once. The rules (length limit, when a sentence is done) are those of src/search.
"""
import math

import torch

from nmt import BOS, EOS, PAD, Translator, load_weights, source_batch

NEVER = float("-inf")


def rows_of(known, index):
    return tuple(part[index] for part in known)


def limits(sources, ratio):
    """Most target tokens of each source, EOS not counted."""
    return torch.tensor([math.ceil(ratio * len(source)) + 10 for source in sources])


def mask(logits, ends):
    """PAD and BOS cannot be said, and rows that must end can only end."""
    logits[:, PAD] = logits[:, BOS] = NEVER
    if ends.any():
        kept = logits[ends, EOS]
        logits[ends] = NEVER
        logits[ends, EOS] = kept


def greedy(model, sources, ratio, _):
    known, state = model.encode(*source_batch(sources))
    most = limits(sources, ratio)
    live, found = list(range(len(sources))), [[] for _ in sources]
    tokens = torch.full((len(sources),), BOS)
    length = 0
    while live:
        o, state = model.step(tokens, state, known)
        logits = model.output(o)
        mask(logits, most == length)
        tokens = logits.argmax(1)
        goes_on = tokens != EOS
        for sentence, token in zip(live, tokens.tolist()):
            if token != EOS:
                found[sentence].append(token)
        if not goes_on.all():
            live = [sentence for sentence, on in zip(live, goes_on.tolist()) if on]
            tokens, most = tokens[goes_on], most[goes_on]
            known, state = rows_of(known, goes_on), rows_of(state, goes_on)
        length += 1
    return found


def beam_search(model, sources, ratio, width):
    known, state = model.encode(*source_batch(sources))
    count = len(sources)
    first = torch.arange(count).repeat_interleave(width)
    known, state = rows_of(known, first), rows_of(state, first)
    most = limits(sources, ratio)
    scores = torch.full((count, width), NEVER)
    scores[:, 0] = 0  # all rows of a sentence are equal at first: one of them counts
    tokens = torch.full((count * width,), BOS)
    paths = torch.zeros(count, width, 0, dtype=torch.long)
    live, finished = list(range(count)), [[] for _ in sources]
    length = 0
    while live:
        rest = len(live)
        o, state = model.step(tokens, state, known)
        logits = model.output(o)
        normaliser = logits.logsumexp(1, keepdim=True)
        mask(logits, (most == length).repeat_interleave(width))
        # Of each row the best width + 1 do: one of them at most is EOS.
        values, ids = logits.topk(width + 1, 1)
        total = values - normaliser + scores.view(-1, 1)
        best, place = total.view(rest, -1).topk(2 * width, 1)
        parent = place // (width + 1)
        token = ids.view(rest, -1).gather(1, place)
        ending = token == EOS
        # A hypothesis that ends counts if it is among the best `width`.
        penalty = (5 + length + 1) / 6
        for row, k in (ending[:, :width] & best[:, :width].isfinite()).nonzero().tolist():
            if len(finished[live[row]]) < width:
                finished[live[row]].append((best[row, k].item() / penalty, paths[row, parent[row, k]].tolist()))
        order = (torch.arange(2 * width) + ending * 2 * width).argsort(1)[:, :width]
        scores, parent, token = (part.gather(1, order) for part in (best, parent, token))
        scores = scores.masked_fill(ending.gather(1, order), NEVER)
        goes_on = torch.tensor([len(finished[sentence]) < width for sentence in live]) & scores.isfinite().any(1)
        paths = torch.cat([paths.gather(1, parent[..., None].expand(-1, -1, length)), token[..., None]], 2)
        rows = parent + torch.arange(rest)[:, None] * width
        if not goes_on.all():
            live = [sentence for sentence, on in zip(live, goes_on.tolist()) if on]
            scores, paths, rows, token = scores[goes_on], paths[goes_on], rows[goes_on], token[goes_on]
            known = rows_of(known, goes_on.repeat_interleave(width))
            most = most[goes_on]
        state, tokens = rows_of(state, rows.reshape(-1)), token.reshape(-1)
        length += 1
    return [max(hypotheses)[1] for hypotheses in finished]


def prepare(job):
    torch.set_float32_matmul_precision(job["precision"])
    model = Translator(job["shape"]).eval()
    load_weights(model, job["weights"])
    search = greedy if job["beam"] == 1 else beam_search
    sources = sorted(job["source"], key=len, reverse=True)
    batches = [sources[at : at + job["batch"]] for at in range(0, len(sources), job["batch"])]

    def decode():
        with torch.inference_mode():
            for batch in batches:
                search(model, batch, job["maxRatio"], job["beam"])

    return decode, len(sources)
