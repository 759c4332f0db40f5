"""Backbone, attention and head put together into a network that shows its maps."""
