"""Networks for the tests of signed methods: small random ones, and ones that compute a written function."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from tabnet_engine.config import ModelConfig
from tabnet_engine.data.encoding import EncodedTable, InputLayout
from tabnet_engine.explain.attribution import Background
from tabnet_engine.explain.background import BackgroundSample
from tabnet_engine.explain.subject import ChosenRows, Subject
from tabnet_engine.model.tabnet import TabNet, TabNetOutput


class WrittenNetwork(TabNet):
    """Computes ``function`` (B, F) -> (B, K) of plain numbers, wherever a network is asked for its logits."""

    def __init__(self, layout: InputLayout, n_outputs: int, function: Callable) -> None:
        super().__init__(layout, n_outputs, ModelConfig(n_d=2, n_a=2, n_steps=1, numeric_embedding="none"))
        self.function = function
        self.encoder.input_norm.eps = 0.0  # with mean 0 and variance 1 the input norm then changes nothing

    def read_embedded(self, x: torch.Tensor, prior: torch.Tensor | None = None) -> TabNetOutput:
        output = super().read_embedded(x, prior)
        written = self.function(self.encoder.input_norm(x.t()).t())
        return dataclasses.replace(output, logits=self.output_offset + self.output_scale * written)

    def logits_of_embedded(self, x: torch.Tensor) -> torch.Tensor:
        return self.read_embedded(x).logits


def plain_layout(n_features: int) -> InputLayout:
    names = tuple(f"x{index}" for index in range(n_features))
    return InputLayout(names, tuple(range(n_features)), (), (), ((-1.0, 1.0),) * n_features)


def written(function: Callable, n_features: int, n_outputs: int = 1) -> Subject:
    """A subject that computes ``function`` of its numbers."""
    layout = plain_layout(n_features)
    network = WrittenNetwork(layout, n_outputs, function).eval()
    return Subject(network, layout, tuple(f"o{index}" for index in range(n_outputs)), "run-1")


def random_network(layout: InputLayout, n_outputs: int = 1, seed: int = 0, **changes: object) -> Subject:
    """A subject whose network has random weights and statistics, so that its masks and gates are at work."""
    config = ModelConfig(**{"n_d": 4, "n_a": 4, "n_steps": 2, "d_numeric": 3, **changes})
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = TabNet(layout, n_outputs, config)
        for name, values in network.named_buffers():
            if name.endswith("running_var"):
                values.uniform_(0.3, 2)
            elif name.endswith("running_mean"):
                values.normal_(0, 0.3)
        with torch.no_grad():
            network.encoder.attention.weight.mul_(4)
            network.encoder.transformer.norm.bias.normal_(0.2, 0.3)  # else a step may be dead
            for table in network.embedding.categorical:
                table.weight.normal_()  # missing and unseen too, as after training
            if hasattr(network.embedding.numeric, "weight"):
                network.embedding.numeric.weight.normal_(0, 0.5)
    return Subject(network.eval(), layout, tuple(f"o{index}" for index in range(n_outputs)), "run-1")


def sample(table: EncodedTable) -> BackgroundSample:
    rows = np.arange(len(table))
    return BackgroundSample(Background(description="all rows", rows=rows, n_population=len(table)), table)


def chosen(table: EncodedTable, first: int = 0) -> ChosenRows:
    return ChosenRows(table, np.arange(first, first + len(table)), "all rows")


@dataclass(frozen=True)
class Networks:
    """The builders above, handed to tests as one fixture."""

    written = staticmethod(written)
    random = staticmethod(random_network)
    sample = staticmethod(sample)
    chosen = staticmethod(chosen)
    plain_layout = staticmethod(plain_layout)


@pytest.fixture(scope="session")
def networks() -> Networks:
    return Networks()
