"""Runs -> rows: what a row is called, what it holds, and how its columns are spelled."""
