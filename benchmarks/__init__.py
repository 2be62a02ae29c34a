"""What each benchmark measures. Results are in docs/figures.md.

``python -m benchmarks.peers``
    Ticks per second of the golden model beside Brian2, NEST, Spyx, sinabs and snnTorch: layers, a
    layer that learns, and up to 4,096 cores; each peer in an environment of its own.
``python -m benchmarks.plastic_cost``
    Clock cycles that learning adds, area and frequency of plastic cores, and whether one fits an
    iCE40UP5K.
``python -m benchmarks.core_cost``
    Area, frequency and sustained throughput of one 256x256 core in an ECP5, and whether the chip of
    one such core fits an iCE40UP5K.
``python -m benchmarks.spread``
    Clock cycles of a sample as usual and with layers spread over cores, on the RTL and as golden
    predicts them.
``python -m benchmarks.engine_speed``
    Clock cycles per second of a Verilated chip, beside cocotb with Python in every cycle.
``python -m benchmarks.mnist_accuracy --data FOLDER``
    Accuracy of the 784-128-10 network, float and golden, and its RTL against golden; with
    ``--network spiking_cnn`` of two convolutions, with ``--device LFE5U-85F`` also placed.
``python -m benchmarks.compile_cnn``
    Time and memory of ``spikelet compile`` for a network of three convolutions.
``python -m benchmarks.event_data``
    How fast event files of each layout are read and binned, beside numpy alone.
``python -m benchmarks.random_chips``
    The long differential run: thousands of random chips, networks and inputs on every engine.
"""
