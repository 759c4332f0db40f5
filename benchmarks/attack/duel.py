def duel(bench, tally):
    pass
