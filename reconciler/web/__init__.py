"""What the daemon shows to the network: metrics and health."""
