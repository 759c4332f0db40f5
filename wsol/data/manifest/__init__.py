"""The manifest: every data set as one folder of small tables, drafted, checked, written and read."""
