// The painters, in a thread of their own. The course's painters run on TensorFlow.js by WebAssembly, which is light. A
// painter of one's own runs on ONNX Runtime, and so does a large painting where there is a graphics card.
//
// Messages in: { type: "open", id, painter }, { type: "paint", id, rgba, width, height, brushes }, { type: "cancel", id }.
// Out, with the same id: "bytes", "opened", "tile", "painted", "cancelled", "failed" with a fault's code and details.

import { download } from "./download.js";
import { asFault, Fault } from "./messages.js";
import { Network, readNetwork } from "./network.js";
import { readPainter } from "./onnx.js";
import { paintInPasses, passes } from "./tiles.js";

const LARGE = 2e6; // pixels to be painted from which fetching 11 MB for a graphics card pays
const CANCELLED = new Fault("cancelled");

/** @typedef {(pixels: Uint8ClampedArray, width: number, height: number) => Promise<Uint8ClampedArray>} Paint
 * @typedef {{ paint: Paint, name: string, release: () => Promise<void> | void }} Engine
 * @typedef {{ engine: Engine, surroundings: number | null, onnx?: string }} Opened
 */

/** @type {Opened | undefined} */
let opened;
/** @type {Promise<any> | undefined} */
let light; // TensorFlow.js, once asked for
/** @type {{ onnx: string, engine: Engine } | null} */
let graphics = null; // a session on the graphics card, for one painter
let graphicsFailed = false;
let queue = Promise.resolve();
/** @type {Set<number>} */
const cancelled = new Set();

const post = (/** @type {any} */ message, /** @type {Transferable[]} */ transferred = []) =>
  self.postMessage(message, { transfer: transferred });

self.onmessage = ({ data }) => {
  if (data.type === "cancel") {
    cancelled.add(data.id);
    return;
  }
  // One after the other: a network paints one picture at a time.
  queue = queue.then(async () => {
    try {
      await (data.type === "open" ? open(data) : paint(data));
    } catch (error) {
      const { code, details } = asFault(error, data.type === "open" ? "painter-unable" : "unknown");
      post({ type: code === "cancelled" ? "cancelled" : "failed", id: data.id, code, details });
    }
    cancelled.delete(data.id);
  });
};

// ---------------------------------------------------------------- opening a painter

/** @param {{ id: number, painter: any }} message */
async function open({ id, painter }) {
  const next = painter.own ? await openOwn(painter) : await openCourses(painter, id);
  await opened?.engine.release();
  opened = next.opened;
  post({ type: "opened", id, config: next.config });
}

/** @param {any} painter @param {number} id */
async function openCourses({ file, bytes, onnx, runtime }, id) {
  const wasm = `tfjs-backend-wasm-${self.crossOriginIsolated ? "threaded-" : ""}simd.wasm`;
  const all = bytes + (light ? 0 : runtime[wasm] + runtime["runtime.js"]);
  let done = 0;
  const count = (/** @type {number} */ more) => {
    done += more;
    post({ type: "bytes", id, done: Math.min(done, all), all });
  };
  light ??= openLight(wasm, count);
  try {
    const [engine, network] = await Promise.all([light, download(file, count)]);
    const read = await readNetwork(network, file.split("/").pop());
    const made = new Network(read, engine.ENGINE);
    await made.paint(new Uint8ClampedArray(72 * 72 * 3), 72, 72); // what a device can't do shows only now
    const paint = made.paint.bind(made);
    const opened = { engine: { paint, name: engine.name, release() {} }, surroundings: read.surroundings, onnx };
    return { config: read.config, opened };
  } catch (error) {
    if (!(await light.catch(() => null))) light = undefined; // the next try fetches it again
    throw error;
  }
}

/** TensorFlow.js, ready to run.
 * @param {string} wasm
 * @param {(bytes: number) => void} count
 */
async function openLight(wasm, count) {
  try {
    new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));
  } catch {
    throw new Fault("wasm-forbidden");
  }
  const [program, bytes] = await Promise.all([
    download("tf/runtime.js", count).then(() => import(/** @type {any} */ ("./tf/runtime.js"))),
    download(`tf/${wasm}`, count),
  ]);
  if (new DataView(bytes.buffer).getUint32(0) !== 0x0061736d) throw new Fault("not-a-program", { file: wasm });
  const url = URL.createObjectURL(new Blob([bytes], { type: "application/wasm" }));
  const names = ["tfjs-backend-wasm.wasm", "tfjs-backend-wasm-simd.wasm", "tfjs-backend-wasm-threaded-simd.wasm"];
  program.setWasmPaths(Object.fromEntries(names.map((name) => [name, url])));
  const threads = self.crossOriginIsolated ? Math.min(4, navigator.hardwareConcurrency || 1) : 1;
  program.setThreadsCount(threads);
  const ready = await program.ENGINE.setBackend("wasm");
  URL.revokeObjectURL(url);
  if (!ready) throw new Fault("painter-unable");
  return { ENGINE: program.ENGINE, name: `WebAssembly, ${threads === 1 ? "1 thread" : `${threads} threads`}` };
}

/** A painter that the visitor has opened. @param {any} painter */
async function openOwn({ name, data }) {
  const bytes = new Uint8Array(data);
  const { config, surroundings } = readPainter(bytes, name);
  const runtime = await onnxRuntime("wasm");
  try {
    return { config, opened: { engine: await session(runtime, bytes), surroundings } };
  } catch {
    throw new Fault("painter-fails", { name });
  }
}

/** ONNX Runtime. @param {"wasm" | "webgpu"} kind */
async function onnxRuntime(kind) {
  /** @type {any} */
  const ort = await import(`./ort/ort.${kind}.min.mjs`).catch(() => {
    throw new Fault("offline", { file: `ort.${kind}.min.mjs` });
  });
  ort.env.logLevel = "error";
  ort.env.wasm.wasmPaths = new URL("ort/", import.meta.url).href;
  const threads = self.crossOriginIsolated ? Math.min(4, navigator.hardwareConcurrency || 1) : 1;
  ort.env.wasm.numThreads = threads;
  const name = kind === "webgpu" ? "WebGPU" : `ONNX Runtime, ${threads === 1 ? "1 thread" : `${threads} threads`}`;
  return { ort, kind, name };
}

/** A session that has painted. @param {any} runtime @param {Uint8Array} bytes @returns {Promise<Engine>} */
async function session({ ort, kind, name }, bytes) {
  const made = await ort.InferenceSession.create(bytes, { executionProviders: [kind] });
  /** @type {Paint} */
  const paint = async (pixels, width, height) => {
    const photo = new ort.Tensor("uint8", new Uint8Array(pixels.buffer), [1, height, width, 3]);
    const { painting } = await made.run({ photo });
    const painted = await painting.getData();
    painting.dispose();
    return painted;
  };
  await paint(new Uint8ClampedArray(72 * 72 * 3), 72, 72);
  return { paint, name, release: () => made.release() };
}

/** A session on the graphics card, or null where there is none or it has failed. @param {Opened} opened */
async function onGraphics({ onnx }) {
  if (!onnx || graphicsFailed || /** @type {any} */ (navigator).connection?.saveData) return null;
  if (graphics?.onnx === onnx) return graphics.engine;
  try {
    const adapter = await /** @type {any} */ (navigator).gpu?.requestAdapter();
    // A software adapter is slower than WebAssembly.
    if (!adapter || adapter.info?.isFallbackAdapter || adapter.isFallbackAdapter) throw new Error("no card");
    await graphics?.engine.release();
    graphics = null;
    const [runtime, bytes] = await Promise.all([onnxRuntime("webgpu"), download(onnx)]);
    graphics = { onnx, engine: await session(runtime, bytes) };
    return graphics.engine;
  } catch {
    graphicsFailed = true;
    return null;
  }
}

// ---------------------------------------------------------------- painting

/** @param {any} message its pixels are released as soon as they are shrunk */
async function paint(message) {
  const { id, width, height, brushes } = message;
  const started = performance.now();
  if (!opened) throw new Fault("painter-unable");
  const usual = opened.engine;
  const work = passes(width, height, brushes).reduce((sum, size) => sum + size.width * size.height, 0);
  let engine = (work >= LARGE && (await onGraphics(opened))) || usual;
  /** @type {Paint} */
  const run = async (pixels, w, h) => {
    await breathe();
    if (cancelled.has(id)) throw CANCELLED;
    try {
      return await engine.paint(pixels, w, h);
    } catch (error) {
      if (engine === usual) throw error;
      // The graphics card was lost, or has too little memory: the processor goes on.
      graphicsFailed = true;
      graphics = null;
      engine = usual;
      return engine.paint(pixels, w, h);
    }
  };
  const onTile = async (/** @type {any} */ { pixels, ...tile }) => {
    const shown = opaque(pixels);
    post({ type: "tile", id, ...tile, rgba: shown }, [shown.buffer]);
    await breathe();
    if (cancelled.has(id)) throw CANCELLED;
  };
  const job = { pixels: colours(message.rgba), width, height, brushes, surroundings: opened.surroundings };
  message.rgba = null;
  const result = await paintInPasses(run, job, onTile);
  const seconds = (performance.now() - started) / 1000;
  post({ type: "painted", id, rgba: result, width, height, seconds, engine: engine.name }, [result.buffer]);
}

/** Let a message in, such as the one that cancels. @returns {Promise<void>} */
function breathe() {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(0);
  });
}

/** RGBA to RGB, in the same memory. @param {Uint8ClampedArray} rgba */
function colours(rgba) {
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3) {
    rgba[to] = rgba[from];
    rgba[to + 1] = rgba[from + 1];
    rgba[to + 2] = rgba[from + 2];
  }
  return rgba.subarray(0, (rgba.length / 4) * 3);
}

/** @param {Uint8ClampedArray} rgb */
function opaque(rgb) {
  const rgba = new Uint8ClampedArray((rgb.length / 3) * 4);
  for (let from = 0, to = 0; from < rgb.length; from += 3, to += 4) {
    rgba[to] = rgb[from];
    rgba[to + 1] = rgb[from + 1];
    rgba[to + 2] = rgb[from + 2];
    rgba[to + 3] = 255;
  }
  return rgba;
}
