def records(bench, tally):
    pass
