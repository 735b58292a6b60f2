"""The service: what it answers, whom it lets in, what it is in a process of its own."""
