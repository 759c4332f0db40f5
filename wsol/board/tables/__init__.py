"""Rows -> the tables that people and programs read."""
