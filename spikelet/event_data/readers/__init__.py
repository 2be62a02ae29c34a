"""Kinds of event files, one file each; ``spikelet.event_data.event_readers`` lists them."""
