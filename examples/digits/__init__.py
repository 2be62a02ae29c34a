"""The 8x8 handwritten digits of scikit-learn."""
