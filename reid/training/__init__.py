"""Training Re-ID networks: the loop, the choice of images of each iteration, class labels."""
