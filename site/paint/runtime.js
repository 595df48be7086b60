// TensorFlow.js with WebAssembly alone, and of its operations only those of network.js. tools/site_paint.py bundles it.

import { ENGINE } from "@tensorflow/tfjs-core/dist/engine";
import "@tensorflow/tfjs-core/dist/flags";
import "@tensorflow/tfjs-core/dist/platforms/platform_browser";
import { getThreadsCount, setThreadsCount, setWasmPaths } from "@tensorflow/tfjs-backend-wasm/dist/base";
import { addConfig } from "@tensorflow/tfjs-backend-wasm/dist/kernels/Add";
import { concatConfig } from "@tensorflow/tfjs-backend-wasm/dist/kernels/Concat";
import { depthToSpaceConfig } from "@tensorflow/tfjs-backend-wasm/dist/kernels/DepthToSpace";
import { fusedConv2DConfig } from "@tensorflow/tfjs-backend-wasm/dist/kernels/FusedConv2D";
import { meanConfig } from "@tensorflow/tfjs-backend-wasm/dist/kernels/Mean";
import { mirrorPadConfig } from "@tensorflow/tfjs-backend-wasm/dist/kernels/MirrorPad";
import { multiplyConfig } from "@tensorflow/tfjs-backend-wasm/dist/kernels/Multiply";
import { reluConfig } from "@tensorflow/tfjs-backend-wasm/dist/kernels/Relu";
import { rsqrtConfig } from "@tensorflow/tfjs-backend-wasm/dist/kernels/Rsqrt";
import { subConfig } from "@tensorflow/tfjs-backend-wasm/dist/kernels/Sub";
import { tanhConfig } from "@tensorflow/tfjs-backend-wasm/dist/kernels/Tanh";
import { transposeConfig } from "@tensorflow/tfjs-backend-wasm/dist/kernels/Transpose";
import { registerKernel } from "@tensorflow/tfjs-core/dist/kernel_registry";

for (const kernel of [
  addConfig,
  concatConfig,
  depthToSpaceConfig,
  fusedConv2DConfig,
  meanConfig,
  mirrorPadConfig,
  multiplyConfig,
  reluConfig,
  rsqrtConfig,
  subConfig,
  tanhConfig,
  transposeConfig, // Mean calls it
])
  registerKernel(kernel);

// TensorFlow.js' own Slice copies its whole input out of WebAssembly's memory first: for a band of a tile, 30 MB each time.
registerKernel({
  kernelName: "Slice",
  backendName: "wasm",
  kernelFunc(/** @type {any} */ { inputs: { x }, attrs: { begin, size }, backend }) {
    const made = backend.makeOutput(size, "float32");
    const from = backend.typedArrayFromHeap(x),
      to = backend.typedArrayFromHeap(made);
    const [, , width, channels] = x.shape;
    const [, top, left] = begin;
    const [, rows, columns] = size;
    for (let row = 0; row < rows; row++) {
      const start = ((top + row) * width + left) * channels;
      to.set(from.subarray(start, start + columns * channels), row * columns * channels);
    }
    return made;
  },
});

export { ENGINE, getThreadsCount, setThreadsCount, setWasmPaths };
