"""What a study will cost, before anything runs: its work, then the same on some hardware."""
