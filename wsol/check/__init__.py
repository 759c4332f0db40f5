"""The contract of attention modules as checks that run: what a module must keep, and what it costs."""
