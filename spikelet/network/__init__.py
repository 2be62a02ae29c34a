"""Networks: in real numbers, in integers, built by hand or from TOML."""
