"""What is done with a folder of results: verify, rescore, add, remove, list; one a file."""
