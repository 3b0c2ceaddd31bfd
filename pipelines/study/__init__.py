"""A study with people who say of real and generated images which they are: its page, its key, its scores."""
