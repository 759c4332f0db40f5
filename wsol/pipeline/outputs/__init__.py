"""What an evaluation leaves on the disk: its record, its table, its pictures."""
