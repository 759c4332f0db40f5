"""Token networks as stages of maps: timm's own features, prefix tokens aside, any side, attention on maps."""
