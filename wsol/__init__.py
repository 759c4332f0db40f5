"""wsol: a benchmark suite for weakly-supervised object localization."""

__version__ = "0.1.0"
