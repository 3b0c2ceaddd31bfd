"""Training data of generators: images and poses in memory, pairs of a person's images, batches."""
