"""The one training loop of teachers and students: schedules, losses, streams, checkpoints, the record."""
