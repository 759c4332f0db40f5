def disk(bench, tally):
    pass
