"""One recurrent layer over a full batch, forward and backward: gradients of the input and of all weights."""
import torch
from torch import nn


def prepare(job):
    time, batch, inputs, hidden = job["shape"]
    layer = {"lstm": nn.LSTM, "gru": nn.GRU}[job["cell"]](inputs, hidden)
    x = torch.randn(time, batch, inputs, requires_grad=True)
    by_output = torch.randn(time, batch, hidden)

    def step():
        layer.zero_grad(set_to_none=True)
        x.grad = None
        layer(x)[0].backward(by_output)

    return step, 1
