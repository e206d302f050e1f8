"""What an administrator may set for the site."""
