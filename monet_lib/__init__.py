"""monet_lib: from raw TFRecords to repainted photographs. One idea a module; see the README for their order."""
