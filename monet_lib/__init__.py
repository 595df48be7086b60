"""From raw TFRecords to repainted photographs: see docs/architecture.md."""

import os

# TensorFlow and ONNX Runtime read these when they are imported: no start-up messages, and no telemetry.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
