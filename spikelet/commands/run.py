"""``spikelet run``: samples on one engine."""

from pathlib import Path

import click

from spikelet.commands.options import (
    BAUD,
    COUNT,
    DECODE,
    EARLY_STOP,
    LEARNING,
    LIBERTY,
    NETWORK,
    OUT,
    PATIENCE,
    PORT,
    SAMPLES,
    START,
    THREADS,
    WATCHDOG,
)
from spikelet.terminal import Terminal, command_line, printing_options

__all__ = ["run"]


@click.command()
@NETWORK
@SAMPLES
@OUT
@click.option(
    "--engine", default="golden", show_default=True, help="golden, rtl, board, netlist-..."
)
@COUNT
@DECODE
@EARLY_STOP
@LEARNING
@START
@click.option(
    "--record",
    type=click.Choice(["states", "spikes", "outputs"]),
    default="states",
    show_default=True,
    help="Outputs only, spikes too, or states too, which a board takes long to send.",
)
@LIBERTY
@PORT
@BAUD
@PATIENCE
@WATCHDOG
@click.option(
    "--recording", type=click.Path(path_type=Path), help="Also write the recording there."
)
@THREADS
@printing_options
def run(
    terminal: Terminal,
    network: Path,
    samples: Path,
    folder: Path | None,
    engine: str,
    count: int | None,
    decode: str,
    early_stop: bool,
    learning: bool,
    start: Path | None,
    record: str,
    liberty: Path | None,
    port: str | None,
    baud: int | None,
    patience_s: float | None,
    watchdog_s: float | None,
    recording: Path | None,
) -> None:
    """Run SAMPLES on one engine; keep the Recording in the project folder."""
    from spikelet.description.chip.state import ChipState
    from spikelet.host.board_port import BoardPort
    from spikelet.project import opened
    from spikelet.results import score_fields, score_words
    from spikelet.runs.early_stop import check_decoder, early_stop_of
    from spikelet.runs.engines import engine_named
    from spikelet.samples.decode import decoder_named
    from spikelet.samples.plastic_samples import load_learning_samples

    engine_named(engine)
    decoder_named(decode)
    project = opened(network, folder, command_line(click.get_current_context()))
    net = project.load().network
    if early_stop:
        check_decoder(project.load(), decode)
    chosen = load_learning_samples(samples, net.encoder, input_levels=net.input_levels).first(count)
    with terminal.progress() as progress:
        progress(engine, 0, len(chosen.spikes))
        ran = project.run(
            chosen,
            engine,
            learning=learning,
            start=ChipState.load(start) if start else None,
            progress=lambda done: progress(engine, done, len(chosen.spikes)),
            early_stop=early_stop,
            record={"states": ("spikes", "states"), "spikes": ("spikes",)}.get(record, ()),
            port=BoardPort.named(port, baud, patience_s, watchdog_s),
            say=terminal.say,
            liberty=liberty,
            snapshot=False,
        )
    trace = ran.recording
    if recording:
        trace.save(recording)
    recording = recording or project.run_file(engine)
    score = chosen.score(ran.votes(decode)) if net.floats else None
    runs = f"{trace.samples:,} samples of {trace.ticks:,} ticks"
    words = score_words(score) if score else ""
    terminal.say(f"{engine}: {runs}{words}; Recording in {recording}")
    stop = early_stop_of(trace, ran.compiled.output_latency, chosen.lengths)
    if stop:
        terminal.say(f"{engine}: {stop.words}")
    fields = score_fields(score) if score else {"samples": trace.samples}
    fields |= {"early_stop": stop.to_dict()} if stop else {}
    terminal.result({"engine": engine, "ticks": trace.ticks, **fields, "trace": str(recording)})
