"""One large matrix product: what the processor can do at most."""
import torch


def prepare(job):
    rows, inner, columns = job["shape"]
    # "medium" lets PyTorch take oneDNN's product instead of its default.
    torch.set_float32_matmul_precision(job["precision"])
    a, b = torch.randn(rows, inner), torch.randn(inner, columns)
    out = torch.empty(rows, columns)
    return lambda: torch.mm(a, b, out=out), 1
