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
import { sliceConfig } from "@tensorflow/tfjs-backend-wasm/dist/kernels/Slice";
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
  sliceConfig,
  subConfig,
  tanhConfig,
  transposeConfig, // Mean calls it
])
  registerKernel(kernel);

export { ENGINE, getThreadsCount, setThreadsCount, setWasmPaths };
