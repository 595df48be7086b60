// The page's side of worker.js: open a painter, paint with it, cancel.

const worker = new Worker("worker.js", { type: "module" });
const jobs = new Map();
let last = 0;

worker.onmessage = ({ data }) => {
  const job = jobs.get(data.id);
  if (!job) return;
  if (data.type === "tile") return job.onTile?.(data);
  jobs.delete(data.id);
  if (data.type === "failed") return job.reject(new Error(data.message));
  job.resolve(data.type === "cancelled" ? null : data);
};
worker.onerror = () => {
  for (const job of jobs.values()) {
    job.reject(new Error("The painter could not be started. Reload the page; if it stays so, try another browser."));
  }
  jobs.clear();
};

/** Open the bytes of an .onnx file: { config, engine }. */
export function open(bytes) {
  return ask({ type: "open", bytes }, [bytes]).done;
}

/** Paint a canvas: { id, done }, done a promise of { rgba, width, height, seconds }, or of null once cancelled. */
export function paint(canvas, brush, onTile) {
  const { width, height } = canvas;
  const rgba = canvas.getContext("2d").getImageData(0, 0, width, height).data;
  return ask({ type: "paint", rgba, width, height, brush }, [rgba.buffer], onTile);
}

/** Stop a job at its next tile; its promise is fulfilled with null at once. */
export function cancel(id) {
  worker.postMessage({ type: "cancel", id });
  jobs.get(id)?.resolve(null);
  jobs.delete(id);
}

function ask(message, transferred, onTile) {
  const id = ++last;
  const done = new Promise((resolve, reject) => jobs.set(id, { resolve, reject, onTile }));
  worker.postMessage({ ...message, id }, transferred);
  return { id, done };
}
