"""What the people who write Silver Watch run, and its users never do."""
