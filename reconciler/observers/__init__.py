"""One file per observer: a probe and a pure parse."""
