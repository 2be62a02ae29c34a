"""From a framework's module to a float network: read, traced, recorded."""
