"""One file per change of the store's schema, never edited once released."""
