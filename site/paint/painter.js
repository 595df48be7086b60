// The page's side of worker.js: open a painter, paint with it, cancel. A worker that dies or falls silent is a fault.

import { asFault, Fault } from "./messages.js";

const SILENCE = 90_000; // ms without a word from a working worker: a tile of 640 px takes 30 s on a slow phone

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
    if (["bytes", "rows", "tile", "strip"].includes(data.type)) return job?.onNews?.(data);
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
  return ask({ type: "open", painter }, onBytes).done;
}

/** Paint a canvas: { id, done }, done a promise of { painting, seconds, engine }, or of null once cancelled.
 * @param {HTMLCanvasElement} photo
 * @param {number[]} brushes
 * @param {(tile: any) => void} onTile
 */
export function paint(photo, brushes, onTile) {
  const { width, height } = photo;
  const painting = document.createElement("canvas");
  const { id, done } = ask({ type: "paint", width, height, brushes }, (news) => {
    if (news.type === "tile") return onTile(news);
    try {
      if (news.type === "rows") {
        const { data } = context(photo).getImageData(0, news.top, width, news.rows);
        return worker?.postMessage({ type: "rows", rgba: data }, [data.buffer]);
      }
      if (!news.top) [painting.width, painting.height] = [width, height];
      context(painting).putImageData(new ImageData(news.rgba, width), 0, news.top);
    } catch (error) {
      jobs.get(id)?.reject(asFault(error, "memory"));
      cancel(id);
    }
  });
  return { id, done: done.then((answer) => answer && { painting, ...answer }) };
}

/** @param {HTMLCanvasElement} canvas */
function context(canvas) {
  return /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
}

/** Stop a job at its next tile; its promise is fulfilled with null at once. @param {number} id */
export function cancel(id) {
  worker?.postMessage({ type: "cancel", id });
  jobs.get(id)?.resolve(null);
  jobs.delete(id);
  wait();
}

/** @param {object} message @param {(news: any) => void} [onNews] */
function ask(message, onNews) {
  const id = ++last;
  /** @type {Promise<any>} */
  const done = new Promise((resolve, reject) => jobs.set(id, { resolve, reject, onNews }));
  try {
    worker ??= start();
    worker.postMessage({ ...message, id });
  } catch (error) {
    stop(asFault(error, "painter-unable"));
  }
  wait();
  return { id, done };
}
