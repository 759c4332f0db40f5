"""Training methods from outside the repository, each with one thing that CAM has not."""

from __future__ import annotations

import torch
from torch import nn

from wsol.methods.contract import OptimizerTurn, StepOutput, TrainingMethod


class Adversarial(TrainingMethod):
    """A critic reads the class from the mean features; the localizer learns to hide it there."""

    def __init__(self, localizer, weight=0.3, critic_lr=0.01, **options):
        super().__init__(localizer, **options)
        self.weight, self.critic_lr = weight, critic_lr
        classes = localizer.head.num_classes
        self.critic = nn.Sequential(nn.Dropout(0.2), nn.Linear(localizer.backbone.out_channels, classes))

    def configure_optimizers(self, training):
        critic = torch.optim.Adam(self.critic.parameters(), lr=self.critic_lr)
        groups = self.parameter_groups(training.head_from)
        return [OptimizerTurn("critic", critic), OptimizerTurn("localizer", groups)]

    def step(self, images, labels, turn):
        output = self.localizer(images)
        guess = self.critic(output.features.mean(dim=(2, 3)))
        found = self.classification(guess, labels)
        if turn == "critic":
            return StepOutput(found, log={"critic_margin": guess.max(dim=1).values.mean()})
        loss = self.classification(output.logits, labels) - self.weight * found
        return StepOutput(loss, output.logits)


class ClassMeans(TrainingMethod):
    """After training the classifier's weights become the class means of the features."""

    calls = 0

    def step(self, images, labels, turn):
        logits = self.localizer(images).logits
        return StepOutput(self.classification(logits, labels), logits)

    @torch.no_grad()
    def after_training(self, loader):
        type(self).calls += 1
        assert not self.training
        classifier = self.localizer.head.classifier
        sums, counts = (
            torch.zeros_like(classifier.weight[:, :, 0, 0]),
            torch.zeros(len(classifier.weight)),
        )
        for images, labels in loader:
            sums.index_add_(0, labels, self.localizer(images).features.mean(dim=(2, 3)))
            counts += torch.bincount(labels, minlength=len(counts))
        classifier.weight.copy_((sums / counts.clamp(min=1)[:, None])[:, :, None, None])


class WithBuffer(TrainingMethod):
    """The localizer carries a number that the bare one has not: the share of images of class 0."""

    def __init__(self, localizer):
        super().__init__(localizer)
        localizer.register_buffer("share", torch.zeros(()))

    def step(self, images, labels, turn):
        logits = self.localizer(images).logits
        return StepOutput(self.classification(logits, labels), logits)

    def after_training(self, loader):
        labels = torch.cat([labels for _, labels in loader])
        self.localizer.share.fill_((labels == 0).float().mean())


class NeedsMargin(TrainingMethod):
    """An option without a default."""

    def __init__(self, localizer, margin, scale=1.0):
        super().__init__(localizer)


class StepsIn(TrainingMethod):
    """Turns as they should not be, by name."""

    def __init__(self, localizer, turns="none"):
        super().__init__(localizer)
        self.turns = turns

    def step(self, images, labels, turn):
        raise NotImplementedError  # never asked: such turns are refused before the first batch

    def configure_optimizers(self, training):
        groups = self.parameter_groups()
        foreign = {"head": list(nn.Linear(2, 2).parameters())}
        return {
            "none": [],
            "twice": [OptimizerTurn("one", groups), OptimizerTurn("one", groups)],
            "foreign": [OptimizerTurn("one", foreign)],
            "empty": [OptimizerTurn("one", {"head": []})],
        }[self.turns]


class Writes(TrainingMethod):
    """Logs under a name that is taken."""

    def step(self, images, labels, turn):
        logits = self.localizer(images).logits
        return StepOutput(self.classification(logits, labels), logits, {"val_cls": logits.mean()})


class StepLess(TrainingMethod):
    """No step."""
