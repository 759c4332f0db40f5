"""Post-hoc class maps through torchcam, on the network as trained, without changing it."""
