"""The verbs of the suite, one a file: train, evaluate, localize, benchmark, leaderboard, demo.

`wsol` itself hands them out: ``wsol.train(recipe)``, ``wsol.evaluate(run)``.
"""
