// The painters, in a thread of their own. The course's painters run on TensorFlow.js by WebAssembly, which is light; a
// painter of one's own runs on ONNX Runtime.
//
// Messages in: { type: "open", id, painter }, { type: "paint", id, width, height, brushes }, { type: "cancel", id }, and
// { type: "rows", rgba }, a part of the photo, for which "rows" asks: neither photo nor painting is here as a whole. Out,
// with the same id: "bytes", "opened", "rows", "tile" of the painting that is being made, "strip" of the finished one,
// "painted", "cancelled", "failed" with a fault's code and details.

import { download } from "./download.js";
import { asFault, Fault } from "./messages.js";
import { Network, readNetwork } from "./network.js";
import { readPainter } from "./onnx.js";
import { opaque, resizeInStrips, resizeRead } from "./resize.js";
import { paintInPasses, passes } from "./tiles.js";

const CANCELLED = new Fault("cancelled");
const threads = self.crossOriginIsolated ? Math.min(4, navigator.hardwareConcurrency || 1) : 1;
const inThreads = threads === 1 ? "1 thread" : `${threads} threads`;

/** @typedef {(pixels: Uint8ClampedArray, width: number, height: number) => Promise<Uint8ClampedArray>} Paint
 * @typedef {{ paint: Paint, name: string, release: () => Promise<void> | void }} Engine
 * @typedef {{ engine: Engine, surroundings: number | null }} Opened
 */

/** @type {Opened | undefined} */
let opened;
/** @type {Promise<any> | undefined} */
let light; // TensorFlow.js, once asked for
let queue = Promise.resolve();
/** @type {Set<number>} */
const cancelled = new Set();
/** @type {(rgba: Uint8ClampedArray | null) => void} */
let answered = () => {}; // by the page, asked for rows

const post = (/** @type {any} */ message, /** @type {Transferable[]} */ transferred = []) =>
  self.postMessage(message, { transfer: transferred });

self.onmessage = ({ data }) => {
  if (data.type === "rows") return answered(data.rgba);
  if (data.type === "cancel") {
    cancelled.add(data.id);
    answered(null);
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
async function openCourses({ file, bytes, runtime }, id) {
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
    const opened = { engine: { paint, name: engine.name, release() {} }, surroundings: read.surroundings };
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
  program.setThreadsCount(threads);
  const ready = await program.ENGINE.setBackend("wasm");
  URL.revokeObjectURL(url);
  if (!ready) throw new Fault("painter-unable");
  return { ENGINE: program.ENGINE, name: `WebAssembly, ${inThreads}` };
}

/** A painter that the visitor has opened. @param {any} painter */
async function openOwn({ name, data }) {
  const bytes = new Uint8Array(data);
  const { config, surroundings } = readPainter(bytes, name);
  /** @type {any} */
  const ort = await import(/** @type {any} */ ("./ort/ort.wasm.min.mjs")).catch(() => {
    throw new Fault("offline", { file: "ort.wasm.min.mjs" });
  });
  ort.env.logLevel = "error";
  ort.env.wasm.wasmPaths = new URL("ort/", import.meta.url).href;
  ort.env.wasm.numThreads = threads;
  try {
    const session = await ort.InferenceSession.create(bytes);
    /** @type {Paint} */
    const paint = async (pixels, width, height) => {
      const photo = new ort.Tensor("uint8", new Uint8Array(pixels.buffer), [1, height, width, 3]);
      return (await session.run({ photo })).painting.data;
    };
    await paint(new Uint8ClampedArray(72 * 72 * 3), 72, 72);
    const engine = { paint, name: `ONNX Runtime, ${inThreads}`, release: () => session.release() };
    return { config, opened: { engine, surroundings } };
  } catch {
    throw new Fault("painter-fails", { name });
  }
}

// ---------------------------------------------------------------- painting

/** @param {{ id: number, width: number, height: number, brushes: number[] }} message */
async function paint({ id, width, height, brushes }) {
  const started = performance.now();
  if (!opened) throw new Fault("painter-unable");
  const { engine, surroundings } = opened;
  const photos = await resizeRead(rowsOf(id), width, height, passes(width, height, brushes));
  /** @type {Paint} */
  const run = async (pixels, w, h) => {
    await breathe();
    if (cancelled.has(id)) throw CANCELLED;
    return engine.paint(pixels, w, h);
  };
  const onTile = async (/** @type {any} */ { pixels, ...tile }) => {
    const rgba = opaque(pixels);
    post({ type: "tile", id, ...tile, rgba }, [rgba.buffer]);
    await breathe();
    if (cancelled.has(id)) throw CANCELLED;
  };
  const small = await paintInPasses(run, photos, surroundings, onTile);
  for (const { top, pixels } of resizeInStrips(small.pixels, small.width, small.height, width, height)) {
    post({ type: "strip", id, top, rgba: pixels }, [pixels.buffer]);
  }
  post({ type: "painted", id, seconds: (performance.now() - started) / 1000, engine: engine.name });
}

/** Reads rows of the job's photo, which the page holds, as RGB pixels. @param {number} id */
function rowsOf(id) {
  return async (/** @type {number} */ top, /** @type {number} */ rows) => {
    /** @type {Uint8ClampedArray | null} */
    const rgba = await new Promise((resolve) => {
      answered = resolve;
      post({ type: "rows", id, top, rows });
    });
    if (!rgba || cancelled.has(id)) throw CANCELLED;
    for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3) {
      rgba[to] = rgba[from];
      rgba[to + 1] = rgba[from + 1];
      rgba[to + 2] = rgba[from + 2];
    }
    return rgba.subarray(0, (rgba.length / 4) * 3);
  };
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
