"""What the features that a run attends to are worth on another data set."""
