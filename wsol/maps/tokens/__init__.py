"""Maps of networks that work on tokens: what their attention weights and patch features say."""
