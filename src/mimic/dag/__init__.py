"""A study as data: its jobs, what each is asked, which share a process."""
