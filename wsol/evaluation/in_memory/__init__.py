"""The evaluator on maps that a program holds: boxes and IoU, one call a metric, torchmetrics classes."""
