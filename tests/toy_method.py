"""The smallest method with everything: phases, an annealed weight, several sources, buffers, poses of its own kind."""

import torch
from torch import nn
from torch.nn import functional as F

from augment.geometry import heatmaps
from augment.methods.contract import Needs, Phase, update
from augment.poses import INDEX
from reid.common.parameters import Positive, Size


class Toy:
    """The mean of its sources' features, and the heat maps of the target, through one convolution."""

    def __init__(self, size: Size, channels: Positive = 4, sources: Positive = 3, iterations: Positive = 3):
        self.size, self.iterations = size, iterations
        self.needs = Needs(sources=sources)
        encoder = nn.Sequential(nn.Conv2d(3, channels, 3, 1, 1), nn.BatchNorm2d(channels), nn.ReLU())
        self.networks = {
            "encoder": encoder,
            "decoder": nn.Conv2d(channels + 18, 3, 3, 1, 1),
            "critic": nn.Conv2d(3, 1, 4),
        }
        self.inference = ("encoder", "decoder")

    def phases(self, device):
        def optimiser(*names):
            return torch.optim.SGD([p for name in names for p in self.networks[name].parameters()], 0.01)

        first = {"all": optimiser("encoder", "decoder")}
        second = {"generator": optimiser("decoder"), "critic": optimiser("critic")}
        return [
            Phase("copy", self.iterations, 2, 1, first, trains=("encoder", "decoder")),
            Phase("refine", self.iterations, 3, 3, second, trains=("decoder", "critic")),
        ]

    def step(self, phase, iteration, batches):
        if phase.name == "refine":
            for _ in range(2):  # the critic takes fresh batches
                batch = next(batches)
                critic = self.networks["critic"]
                loss = (critic(self.generate(batch)) - critic(batch.wanted_target())).mean()
                update(phase.optimisers["critic"], loss)
        batch = next(batches)
        weight = 1 - 0.5 * iteration / self.iterations  # annealed over the phase
        copying = weight * F.l1_loss(self.generate(batch), batch.wanted_target())
        update(next(iter(phase.optimisers.values())), copying)
        return {"l1": copying} if phase.name == "copy" else {"l1": copying, "critic": loss}

    def usable_source(self, pose):
        return pose.visible[..., INDEX["nose"]]

    def usable_target(self, pose):
        return pose.visible.any(-1)

    def generate(self, batch):
        features = self.networks["encoder"](batch.source.flatten(0, 1)).unflatten(0, batch.source.shape[:2])
        weights = batch.valid().float() / batch.valid().sum(1, keepdim=True)
        mean = torch.einsum("bmchw,bm->bchw", features, weights)
        return torch.tanh(self.networks["decoder"](torch.cat([mean, heatmaps(batch.target_pose, self.size)], 1)))
