def runs(bench, tally):
    pass
