"""The only interpreter: looks, starts what may start, settles what was started."""
