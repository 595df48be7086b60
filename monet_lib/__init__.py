"""From raw TFRecords to repainted photographs: a room for each thing one does, see docs/architecture.md."""
