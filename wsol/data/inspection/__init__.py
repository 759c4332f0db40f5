"""Looking at a data set before trusting it."""
