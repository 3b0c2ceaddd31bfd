"""What all of the project builds on: errors, progress, resumable work."""
