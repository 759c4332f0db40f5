"""An attack on wsol: damaged records and runs, kill -9, a full disk, several processes on one folder.

It knows wsol only by its command line and its files. Every case ends either with the figures that an
undisturbed command gives, or with exit code 2 and one line that says what is wrong. Linux only.

    python -m benchmarks.attack                         the whole attack
    python -m benchmarks.attack --only kills,duel       some of it
    python -m benchmarks.attack --case "train 07"       the cases whose names contain this
"""
