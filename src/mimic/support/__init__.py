"""What every package stands on and no result depends on: errors, whole files, signals, words for people."""
