"""The encoder-decoder of docs/model-format.md in PyTorch: bidirectional LSTM, LSTM decoder with attention.

Layout: ids [time, batch], states [batch, size], the source [batch, source, size].
"""
import json
import struct

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

PAD, UNK, BOS, EOS = 0, 1, 2, 3


class Translator(nn.Module):
    def __init__(self, shape):
        super().__init__()
        embedding, hidden, decoder = shape["embedding"], shape["hidden"], shape["decoder"]
        memory, output = 2 * hidden, shape["output"]
        self.additive, self.feeding = shape["attention"] == "additive", shape["inputFeeding"]
        self.source = nn.Embedding(shape["sourceSize"], embedding)
        self.target = nn.Embedding(shape["targetSize"], embedding)
        self.encoder = nn.LSTM(embedding, hidden, bidirectional=True)
        self.bridge = nn.ModuleDict({name: nn.Linear(memory, decoder) for name in ("h", "c")})
        self.decoder = nn.LSTM(embedding + (output if self.feeding else 0), decoder)
        self.keys = nn.Linear(memory, decoder, bias=False)
        if self.additive:
            self.query = nn.Linear(decoder, decoder)
            self.vector = nn.Linear(decoder, 1, bias=False)
        self.readout = nn.Linear(decoder + memory, output)
        self.output = nn.Linear(output, shape["targetSize"])
        self.dropout = nn.Dropout(shape["dropout"])
        for table in (self.source, self.target):
            nn.init.normal_(table.weight, std=0.1)

    def encode(self, source, lengths):
        """source [time, batch], lengths [batch] from long to short; returns the memory and the decoder's first state."""
        x = self.dropout(self.source(source))
        if int(lengths[-1]) == len(source):  # no padding: the faster way through the layer
            outputs, (last, _) = self.encoder(x)
        else:
            packed, (last, _) = self.encoder(pack_padded_sequence(x, lengths))
            outputs, _ = pad_packed_sequence(packed)
        summary = torch.cat([last[0], last[1]], 1)  # [batch, 2 hidden]
        state = tuple(torch.tanh(self.bridge[name](summary)) for name in ("h", "c"))
        memory = outputs.transpose(0, 1)  # [batch, source, 2 hidden]
        padded = (source == PAD).t()[:, None]  # [batch, 1, source]
        bias = torch.zeros(padded.shape).masked_fill_(padded, float("-inf"))
        return (memory, self.keys(memory), bias), state

    def attend(self, states, known):
        """o of decoder states [batch, target, decoder]: [batch, target, output]."""
        memory, keys, bias = known
        if self.additive:
            both = torch.tanh(self.query(states)[:, :, None] + keys[:, None])  # [batch, target, source, decoder]
            scores = self.vector(both)[..., 0] + bias
        else:
            scores = torch.baddbmm(bias, states, keys.transpose(1, 2))
        context = torch.bmm(torch.softmax(scores, 2), memory)
        return torch.tanh(self.readout(torch.cat([states, context], 2)))

    def step(self, tokens, state, known, feed=None):
        """One decoder step for rows [rows]; o [rows, output] and the next state."""
        y = self.target(tokens)
        return self._step(y if feed is None else torch.cat([y, feed], 1), state, known)

    def _step(self, y, state, known):
        layer = self.decoder
        weights = (layer.weight_ih_l0, layer.weight_hh_l0, layer.bias_ih_l0, layer.bias_hh_l0)
        state = torch._VF.lstm_cell(y, state, *weights)
        return self.attend(state[0][:, None], known)[:, 0], state

    def forward(self, source, lengths, previous):
        """Teacher forcing: o at every target position, [batch, target, output]."""
        known, state = self.encode(source, lengths)
        y = self.dropout(self.target(previous))  # [target, batch, embedding]
        if not self.feeding:
            states, _ = self.decoder(y, tuple(part[None] for part in state))
            return self.attend(states.transpose(0, 1), known)
        feed = torch.zeros(y.shape[1], self.readout.out_features)
        outputs = []
        for yt in y:
            feed, state = self._step(torch.cat([yt, feed], 1), state, known)
            outputs.append(feed)
        return torch.stack(outputs, 1)


def padded(rows, width):
    """Rows of ids as [time, batch]."""
    return torch.tensor([row + [PAD] * (width - len(row)) for row in rows]).t().contiguous()


def source_batch(sources):
    """Sources (longest first) with EOS: ids [time, batch] and lengths [batch]."""
    rows = [row + [EOS] for row in sources]
    return padded(rows, len(rows[0])), torch.tensor([len(row) for row in rows])


def read_safetensors(path):
    with open(path, "rb") as file:
        (size,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(size))
        data = bytearray(file.read())
    header.pop("__metadata__", None)
    return {
        name: torch.frombuffer(
            data, dtype=torch.float32, count=(entry["data_offsets"][1] - entry["data_offsets"][0]) // 4,
            offset=entry["data_offsets"][0],
        ).reshape(entry["shape"])
        for name, entry in header.items()
    }


def load_weights(model, path):
    """Takes up the weights of a Dragoman model folder."""
    given = read_safetensors(path)

    def recurrent(name, layer, suffix=""):
        # Ours: gates i, g, f, o side by side in [input, 4 size]; PyTorch's: i, f, g, o below each other.
        for ours, theirs in (("kernel", "weight_ih"), ("recurrent", "weight_hh"), ("bias", "bias_ih")):
            i, g, f, o = given[f"{name}.{ours}"].t().chunk(4) if ours != "bias" else given[f"{name}.bias"].chunk(4)
            getattr(layer, f"{theirs}_l0{suffix}").copy_(torch.cat([i, f, g, o]))
        getattr(layer, f"bias_hh_l0{suffix}").zero_()

    def linear(name, layer):
        layer.weight.copy_(given[f"{name}.kernel"].t())
        if layer.bias is not None:
            layer.bias.copy_(given[f"{name}.bias"])

    with torch.no_grad():
        model.target.weight.copy_(given["embedding.target"])
        model.source.weight.copy_(given.get("embedding.source", given["embedding.target"]))
        recurrent("encoder.0.forward", model.encoder)
        recurrent("encoder.0.backward", model.encoder, "_reverse")
        recurrent("decoder.0", model.decoder)
        for name in ("h", "c"):
            linear(f"bridge.0.{name}", model.bridge[name])
        linear("attention", model.keys)
        linear("readout", model.readout)
        kernel = given.get("output.kernel")
        model.output.weight.copy_(given["embedding.target"] if kernel is None else kernel.t())
        model.output.bias.copy_(given["output.bias"])
