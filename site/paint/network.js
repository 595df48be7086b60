// A painter's network on TensorFlow.js: the file that tools/site_paint.py writes (`network_file`), step by step.

import { Fault } from "./messages.js";

const MAGIC = "MONET1";
const ZERO = 360; // the whole number of a weight 0
const WIDE = 7; // px of a kernel that goes over the picture in bands
const BAND = 32; // rows of a band's result

/** { config, surroundings, changes, steps }: each step is [kind, ...arguments, weights].
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @param {string} file its name, for the fault
 */
export async function readNetwork(bytes, file) {
  if (new TextDecoder().decode(bytes.subarray(0, MAGIC.length)) !== MAGIC) throw new Fault("not-a-network", { file });
  try {
    const begin = MAGIC.length + 4;
    const end = begin + new DataView(bytes.buffer).getUint32(MAGIC.length, true);
    const { config, surroundings, changes, steps } = JSON.parse(new TextDecoder().decode(bytes.subarray(begin, end)));
    const packed = new Blob([bytes.subarray(end)]).stream().pipeThrough(new DecompressionStream("deflate"));
    const data = await new Response(packed).arrayBuffer();
    let at = 0;
    const floats = (/** @type {number} */ count) => {
      at += 4 * count;
      return new Float32Array(data, at - 4 * count, count);
    };
    for (const step of steps) {
      if (step[0] === "norm") step.push({ scale: floats(step[1]), shift: floats(step[1]) });
      if (step[0] !== "conv") continue;
      const channels = step[1][3];
      const scale = floats(channels),
        bias = floats(channels);
      const count = step[1].reduce((/** @type {number} */ a, /** @type {number} */ b) => a * b);
      const upper = new Uint8Array(data, at, count),
        lower = new Uint8Array(data, at + count, Math.ceil(count / 4));
      const kernel = Float32Array.from(
        upper,
        (byte, k) => ((byte << 2) + ((lower[k >> 2] >> (2 * (k & 3))) & 3) - ZERO) * scale[k % channels],
      );
      at += 4 * Math.ceil((count + lower.length) / 4);
      step.push({ kernel, bias });
    }
    return { config, surroundings, changes, steps };
  } catch {
    throw new Fault("not-a-network", { file });
  }
}

// What a change is added to, by the photo's level: its inverse tanh, kept away from the ends, where that is infinite.
const PREPARED = Float32Array.from({ length: 256 }, (_, level) => Math.atanh(0.98 * (level / 127.5 - 1)));

export class Network {
  /**
   * @param {Awaited<ReturnType<typeof readNetwork>>} file
   * @param {any} engine TensorFlow.js' engine, whose backend is ready
   */
  constructor(file, engine) {
    this.engine = engine;
    this.changes = file.changes;
    this.steps = file.steps.map((/** @type {any[]} */ step) => {
      const [kind, ...rest] = step;
      const keep = (/** @type {Float32Array} */ values, /** @type {number[]} */ shape) =>
        engine.makeTensor(values, shape, "float32");
      if (kind === "conv") {
        const [shape, stride, pads, relu, { kernel, bias }] = rest;
        return { kind, stride, pads, relu, filter: keep(kernel, shape), bias: keep(bias, [shape[3]]) };
      }
      if (kind === "norm") {
        const [channels, epsilon, { scale, shift }] = rest;
        const shape = [1, 1, 1, channels];
        const small = keep(Float32Array.of(epsilon), [1, 1, 1, 1]);
        return { kind, small, scale: keep(scale, shape), shift: keep(shift, shape) };
      }
      return { kind, size: rest[0] };
    });
  }

  /** RGB pixels of a photo whose sides are multiples of 4, at least 72 px, to those of its painting.
   * @param {Uint8ClampedArray | Uint8Array} pixels
   * @param {number} width
   * @param {number} height
   */
  async paint(pixels, width, height) {
    const { engine } = this;
    const values = new Float32Array(pixels.length);
    for (let at = 0; at < values.length; at++) values[at] = pixels[at] / 127.5 - 1;
    let x = engine.makeTensor(values, [1, height, width, 3], "float32");
    let kept = null;
    for (const step of this.steps) {
      if (step.kind === "keep") {
        kept = x;
        continue;
      }
      const made = this.step(step, x, kept);
      if (x !== kept || step.kind === "add") engine.disposeTensor(x);
      if (step.kind === "add") {
        engine.disposeTensor(kept);
        kept = null;
      }
      x = made;
    }
    const painted = await engine.read(x.dataId);
    engine.disposeTensor(x);
    const levels = new Uint8ClampedArray(painted.length); // which rounds
    for (let at = 0; at < levels.length; at++) {
      const value = this.changes ? Math.tanh(PREPARED[pixels[at]] + painted[at]) : painted[at];
      levels[at] = (value + 1) * 127.5;
    }
    return levels;
  }

  /** @param {any} step @param {any} x @param {any} kept */
  step(step, x, kept) {
    const run = (/** @type {string} */ name, /** @type {object} */ inputs, attributes = {}) =>
      this.engine.runKernel(name, inputs, attributes);
    const [, height, width, channels] = x.shape;
    switch (step.kind) {
      case "pad": {
        const both = [step.size, step.size];
        return run("MirrorPad", { x }, { paddings: [[0, 0], both, both, [0, 0]], mode: "reflect" });
      }
      case "conv": {
        const [top, bottom, left, right] = step.pads;
        const padded = step.pads !== "same" && step.pads.some((/** @type {number} */ px) => px);
        const pad =
          step.pads === "same"
            ? "same"
            : padded
              ? [
                  [0, 0],
                  [top, bottom],
                  [left, right],
                  [0, 0],
                ]
              : "valid";
        const attributes = {
          strides: [step.stride, step.stride],
          dilations: [1, 1],
          dataFormat: "NHWC",
          pad,
          activation: step.relu ? "relu" : "linear",
        };
        const convolve = (/** @type {any} */ part) =>
          run("FusedConv2D", { x: part, filter: step.filter, bias: step.bias }, attributes);
        const size = step.filter.shape[0];
        if (size < WIDE || pad !== "valid") return convolve(x);
        // A wide kernel needs memory for each pixel that it sees: band by band, it needs a part of it.
        const parts = [];
        const rows = Math.floor((height - size) / step.stride) + 1;
        for (let row = 0; row < rows; row += BAND) {
          const high = (Math.min(BAND, rows - row) - 1) * step.stride + size;
          const begin = [0, row * step.stride, 0, 0];
          const band = run("Slice", { x }, { begin, size: [1, high, width, channels] });
          parts.push(convolve(band));
          this.engine.disposeTensor(band);
        }
        const result = run("Concat", parts, { axis: 1 });
        for (const part of parts) this.engine.disposeTensor(part);
        return result;
      }
      case "shuffle":
        return run("DepthToSpace", { x }, { blockSize: 2, dataFormat: "NHWC" });
      case "crop": {
        const begin = [0, step.size, step.size, 0];
        return run("Slice", { x }, { begin, size: [1, height - 2 * step.size, width - 2 * step.size, channels] });
      }
      case "add":
        return run("Add", { a: x, b: kept });
      case "relu":
        return run("Relu", { x });
      case "tanh":
        return run("Tanh", { x });
      case "norm": {
        const over = { axis: [1, 2], keepDims: true };
        const used = [run("Mean", { x }, over)];
        const then = (/** @type {any} */ tensor) => used[used.push(tensor) - 1];
        const centred = then(run("Sub", { a: x, b: used[0] }));
        const squared = then(run("Multiply", { a: centred, b: centred }));
        const spread = then(run("Add", { a: then(run("Mean", { x: squared }, over)), b: step.small }));
        const factor = then(run("Multiply", { a: then(run("Rsqrt", { x: spread })), b: step.scale }));
        const scaled = then(run("Multiply", { a: centred, b: factor }));
        const result = run("Add", { a: scaled, b: step.shift });
        for (const tensor of used) this.engine.disposeTensor(tensor);
        return result;
      }
      default:
        throw new Fault("not-a-network", { file: step.kind });
    }
  }
}
