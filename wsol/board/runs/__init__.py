"""A folder of records -> the sound runs in it, and what is remembered of them."""
