"""Networks that several generation methods share."""
