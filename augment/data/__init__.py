"""What generators learn from: people in memory, pairs of their images, batches."""
