"""One fused Adam step over parameters of given shapes, after clipping by the global norm."""
import torch


def prepare(job):
    parameters = [torch.nn.Parameter(torch.randn(*shape)) for shape in job["shapes"]]
    gradients = [torch.randn(*shape) for shape in job["shapes"]]
    for parameter, gradient in zip(parameters, gradients):
        parameter.grad = gradient
    optimizer = torch.optim.Adam(parameters, lr=1e-3, fused=True)

    def step():
        # Multiplies all gradients by a factor whatever their norm, so that every run does the same work.
        torch.nn.utils.clip_grad_norm_(parameters, 1.0, foreach=True)
        optimizer.step()

    return step, 1
