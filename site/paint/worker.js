// The painter, in a thread of its own: ONNX Runtime, by WebGPU where there is one, else by WebAssembly.
//
// Messages in: { type: "open", id, bytes }, { type: "paint", id, rgba, width, height, brush }, { type: "cancel", id }.
// Out, with the same id: "opened", "tile", "painted", "cancelled", "failed" with a message for the user.

import { readPainter } from "./onnx.js";
import { paintBroadly } from "./tiles.js";

let painter; // { session, surroundings, tensor }
let queue = Promise.resolve();
const cancelled = new Set();
const engine = start();

onmessage = ({ data }) => {
  if (data.type === "cancel") return cancelled.add(data.id);
  // One after the other: a session paints one picture at a time.
  queue = queue.then(async () => {
    try {
      await (data.type === "open" ? open(data) : paint(data));
    } catch (error) {
      const type = error === CANCELLED ? "cancelled" : "failed";
      postMessage({ type, id: data.id, message: String(error?.message ?? error) });
    }
    cancelled.delete(data.id);
  });
};

const CANCELLED = new Error("cancelled");

/** { ort, providers, name }. */
async function start() {
  // A software adapter is slower than WebAssembly.
  const adapter = await navigator.gpu?.requestAdapter().catch(() => null);
  const graphics = adapter && !adapter.info?.isFallbackAdapter && !adapter.isFallbackAdapter;
  return graphics ? load("webgpu").catch(() => load("wasm")) : load("wasm");
}

async function load(kind) {
  const ort = await import(`./ort/ort.${kind}.min.mjs`);
  ort.env.logLevel = "error";
  ort.env.wasm.wasmPaths = new URL("ort/", import.meta.url).href;
  const threads = self.crossOriginIsolated ? Math.min(4, navigator.hardwareConcurrency || 1) : 1;
  ort.env.wasm.numThreads = threads;
  const name = kind === "webgpu" ? "WebGPU" : `WebAssembly, ${threads === 1 ? "1 thread" : `${threads} threads`}`;
  return { ort, providers: [kind], name };
}

let fallback = null; // WebAssembly, once WebGPU has failed

async function open({ id, bytes }) {
  const { config, surroundings } = readPainter(new Uint8Array(bytes));
  let chosen = fallback ?? (await engine);
  let session;
  try {
    session = await trial(chosen, bytes);
  } catch (error) {
    if (chosen.providers[0] === "wasm") {
      throw new Error("can’t be run here: it is damaged, or uses what this page’s ONNX Runtime doesn’t know.");
    }
    chosen = fallback = await load("wasm");
    session = await trial(chosen, bytes);
  }
  await painter?.session.release();
  painter = { session, surroundings, ort: chosen.ort };
  postMessage({ type: "opened", id, config, engine: chosen.name });
}

/** A session that has painted: what a device can't do shows only then. */
async function trial({ ort, providers }, bytes) {
  const session = await ort.InferenceSession.create(new Uint8Array(bytes), { executionProviders: providers });
  const grey = new Uint8Array(72 * 72 * 3).fill(128);
  await session.run({ photo: new ort.Tensor("uint8", grey, [1, 72, 72, 3]) });
  return session;
}

async function paint({ id, rgba, width, height, brush }) {
  const started = performance.now();
  if (!painter) throw new Error("The painter is not ready.");
  const { session, surroundings, ort } = painter;
  const run = async (pixels, w, h) => {
    await breathe();
    if (cancelled.has(id)) throw CANCELLED;
    const photo = new ort.Tensor("uint8", new Uint8Array(pixels.buffer), [1, h, w, 3]);
    const { painting } = await session.run({ photo });
    const painted = await painting.getData();
    painting.dispose();
    return painted;
  };
  const onTile = async ({ pixels, ...tile }) => {
    const shown = tile.all > 1 ? opaque(pixels) : null;
    postMessage({ type: "tile", id, brush, ...tile, rgba: shown }, shown ? [shown.buffer] : []);
    await breathe();
    if (cancelled.has(id)) throw CANCELLED;
  };
  const pixels = await paintBroadly(run, colours(rgba), width, height, brush, surroundings, onTile);
  const result = opaque(pixels);
  const seconds = (performance.now() - started) / 1000;
  postMessage({ type: "painted", id, rgba: result, width, height, seconds }, [result.buffer]);
}

/** Let a message in, such as the one that cancels. */
function breathe() {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => { port1.close(); resolve(); };
    port2.postMessage(0);
  });
}

function colours(rgba) {
  const rgb = new Uint8ClampedArray((rgba.length / 4) * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3) {
    rgb[to] = rgba[from];
    rgb[to + 1] = rgba[from + 1];
    rgb[to + 2] = rgba[from + 2];
  }
  return rgb;
}

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
