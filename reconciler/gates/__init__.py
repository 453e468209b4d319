"""One file per gate: judges what must hold before an effect; pure."""
