"""Networks of tokens as stages of maps, and what travels beside the maps."""
