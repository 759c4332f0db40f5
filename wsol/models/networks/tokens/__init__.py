"""Networks of tokens as stages of maps: what travels beside the maps, and what the networks are made of."""
