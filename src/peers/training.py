"""A whole training step of the encoder-decoder: forward, backward, clipping by the global norm, fused Adam.

The job's variant says how:

    stock     PyTorch's defaults; batches of similar length
    tuned     oneDNN's products, batches of one source length (no packing), the loss's gradient made with the loss;
              on processors with products of bfloat16 numbers oneDNN makes these
    bfloat16  stock, in PyTorch's automatic mixed precision
"""
import torch
from torch import nn

from nmt import BOS, EOS, PAD, Translator, padded, source_batch

VARIANTS = {
    "stock": dict(precision="highest", exact=False, joined=False, mixed=False),
    "tuned": dict(precision="medium", exact=True, joined=True, mixed=False),
    "bfloat16": dict(precision="highest", exact=False, joined=False, mixed=True),
}


class OutputLoss(torch.autograd.Function):
    """Output layer and mean cross-entropy with smoothed labels; its gradients are made in the forward pass, so that
    neither the logits nor their logarithms have to be kept."""

    @staticmethod
    def forward(ctx, o, weight, bias, labels, smoothing):
        rows, size = len(o), len(weight)
        logits = torch.addmm(bias, o, weight.t())
        normaliser = logits.logsumexp(1, keepdim=True)
        own = logits.gather(1, labels[:, None])
        loss = (normaliser - (1 - smoothing) * own - smoothing * logits.mean(1, keepdim=True)).mean()
        slope = logits.sub_(normaliser).exp_().sub_(smoothing / size)  # softmax - target, in the logits' place
        slope.scatter_add_(1, labels[:, None], own.new_full((rows, 1), smoothing - 1))
        scaled = o / rows
        ctx.save_for_backward((slope @ weight) / rows, slope.t() @ scaled, slope.sum(0) / rows)
        return loss

    @staticmethod
    def backward(ctx, by_loss):
        return *(by_loss * part for part in ctx.saved_tensors), None, None


def cut(sources, targets, size, exact):
    """Full batches of sentences of similar source length, or of one."""
    order = sorted(range(len(sources)), key=lambda i: (len(sources[i]), len(targets[i])))
    batches, batch = [], []
    for i in order:
        if batch and (len(batch) == size or (exact and len(sources[i]) != len(sources[batch[0]]))):
            batches.append(batch)
            batch = []
        batch.append(i)
    batches.append(batch)
    full = [batch for batch in batches if len(batch) == size]
    if not full:
        raise ValueError(f"the corpus has no {size} sentences that fit into one batch")
    return full


def representative(batches, tokens, count):
    """Batches of all sizes: of `count` equal parts of them, ordered by tokens, the middle one each."""
    order = sorted(batches, key=tokens)
    return [order[int((k + 0.5) * len(order) / count)] for k in range(count)]


def prepare(job):
    variant = VARIANTS[job["variant"]]
    torch.set_float32_matmul_precision(variant["precision"])
    sources, targets = job["source"], job["target"]
    tokens = lambda batch: sum(len(targets[i]) + 1 for i in batch)
    batches = cut(sources, targets, job["batch"], variant["exact"])
    chosen = representative(batches, tokens, job["batches"])

    def tensors(batch):
        batch = sorted(batch, key=lambda i: -len(sources[i]))
        rows = [targets[i] for i in batch]
        width = max(map(len, rows)) + 1
        return (
            *source_batch([sources[i] for i in batch]),
            padded([[BOS] + row for row in rows], width),
            padded([row + [EOS] for row in rows], width).t(),
        )

    data = [tensors(batch) for batch in chosen]
    model = Translator(job["shape"]).train()
    parameters = list(model.parameters())
    optimizer = torch.optim.Adam(parameters, lr=1e-3, fused=True)

    def loss_of(source, lengths, previous, labels):
        o = model(source, lengths, previous)
        real = labels != PAD
        o, labels = model.dropout(o[real]), labels[real]
        if variant["joined"]:
            return OutputLoss.apply(o, model.output.weight, model.output.bias, labels, job["labelSmoothing"])
        return nn.functional.cross_entropy(model.output(o), labels, label_smoothing=job["labelSmoothing"])

    def steps():
        for batch in data:
            optimizer.zero_grad(set_to_none=True)
            with torch.autocast("cpu", torch.bfloat16, enabled=variant["mixed"]):
                loss = loss_of(*batch)
            loss.backward()
            nn.utils.clip_grad_norm_(parameters, job["clip"], foreach=True)
            optimizer.step()

    return steps, sum(map(tokens, chosen))
