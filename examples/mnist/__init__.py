"""The MNIST handwritten digits."""
