"""What each benchmark measures.

``python -m benchmarks.golden_speed``
    Ticks per second of the golden model, compiled and numpy, from dense input spikes to the result,
    beside Brian2's C++ standalone mode, Spyx (JAX), sinabs and snnTorch: one thread, one processor,
    engines in turn within each round. Peers come with the extra ``bench``; those not installed are
    left out, with a reason.
"""
