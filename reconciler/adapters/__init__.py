"""One file per technology; the only room that touches the world."""
