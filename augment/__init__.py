"""Person-image generation: poses, generators, their training, and augmented training sets."""
