"""Score maps to boxes and masks to metrics; knows no model and imports no torch until asked to."""
