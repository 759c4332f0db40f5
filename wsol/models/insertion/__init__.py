"""How attention gets into a network: after stages, into blocks, as feedback inside them."""
