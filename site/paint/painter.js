// The page's side of worker.js: open a painter, paint with it, cancel. A worker that dies or falls silent is a fault.

import { asFault, Fault } from "./messages.js";

const SILENCE = 90_000; // ms without a word from a working worker: a tile of 768 px takes 30 s on a slow phone

/** @typedef {{ resolve: (answer: any) => void, reject: (fault: Fault) => void, onNews?: (news: any) => void }} Job */

/** @type {Worker | null} */
let worker = null;
/** @type {Map<number, Job>} */
const jobs = new Map();
/** @type {ReturnType<typeof setTimeout> | undefined} */
let patience;
let last = 0;

function start() {
  const made = new Worker("worker.js", { type: "module" });
  made.onmessage = ({ data }) => {
    if (made !== worker) return;
    wait();
    const job = jobs.get(data.id);
    if (data.type === "tile" || data.type === "bytes") return job?.onNews?.(data);
    jobs.delete(data.id);
    wait();
    if (data.type === "failed") return job?.reject(new Fault(data.code, data.details));
    job?.resolve(data.type === "cancelled" ? null : data);
  };
  made.onerror = (event) => {
    event.preventDefault();
    if (made === worker) stop(new Fault(jobs.size ? "worker-dead" : "painter-unable"));
  };
  return made;
}

/** Count the worker's silence anew, as long as something is asked of it. */
function wait() {
  clearTimeout(patience);
  if (jobs.size) patience = setTimeout(() => stop(new Fault("worker-silent", { seconds: SILENCE / 1000 })), SILENCE);
}

/** End the worker: every job fails with the fault, and the next question starts another worker. @param {Fault} fault */
function stop(fault) {
  clearTimeout(patience);
  worker?.terminate();
  worker = null;
  for (const job of jobs.values()) job.reject(fault);
  jobs.clear();
}

/** Whether a painter that was opened is still there. */
export function alive() {
  return worker !== null;
}

/** Open a painter: { config }.
 * @param {object} painter of painters.json, or { own: true, name, data }
 * @param {(news: { done: number, all: number }) => void} [onBytes]
 */
export function open(painter, onBytes) {
  return ask({ type: "open", painter }, [], onBytes).done;
}

/** Paint a canvas: { id, done }, done a promise of { rgba, width, height, seconds, engine }, or of null once cancelled.
 * @param {HTMLCanvasElement} canvas
 * @param {number[]} brushes
 * @param {(tile: any) => void} onTile
 */
export function paint(canvas, brushes, onTile) {
  const { width, height } = canvas;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  let rgba;
  try {
    rgba = context.getImageData(0, 0, width, height).data;
  } catch (error) {
    return { id: 0, done: Promise.reject(asFault(error, "memory")) };
  }
  return ask({ type: "paint", rgba, width, height, brushes }, [rgba.buffer], onTile);
}

/** Stop a job at its next tile; its promise is fulfilled with null at once. @param {number} id */
export function cancel(id) {
  worker?.postMessage({ type: "cancel", id });
  jobs.get(id)?.resolve(null);
  jobs.delete(id);
  wait();
}

/** @param {object} message @param {Transferable[]} transferred @param {(news: any) => void} [onNews] */
function ask(message, transferred, onNews) {
  const id = ++last;
  /** @type {Promise<any>} */
  const done = new Promise((resolve, reject) => jobs.set(id, { resolve, reject, onNews }));
  try {
    worker ??= start();
    worker.postMessage({ ...message, id }, transferred);
  } catch (error) {
    stop(asFault(error, "painter-unable"));
  }
  wait();
  return { id, done };
}
