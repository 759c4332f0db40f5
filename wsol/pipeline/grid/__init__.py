"""A grid: recipes times seeds, each a row that is trained and scored once, by one process or several."""
