"""One file per step kind: renders effects and judges results; pure."""
