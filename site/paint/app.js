// The page: what the visitor does becomes an event, `next` in studio.js the state, and `render` the page.

import * as easel from "./easel.js";
import { asFault, Fault, words } from "./messages.js";
import * as painter from "./painter.js";
import { readPhoto, toCanvas } from "./photo.js";
import { SAMPLES } from "./samples.js";
import * as sharing from "./share.js";
import { EMPTY, next } from "./studio.js";
import { autoBrushes } from "./tiles.js";

const $ = (/** @type {string} */ id) => /** @type {any} */ (document.getElementById(id));
const NARROWEST = 16; // px of the shorter side that a wide brush must leave, as in `monet translate`
const BROADEST = 12;
const FINER = 2; // the second pass' strokes are narrower by this
const STORE = 4_000; // ms after the painter is there, until the page is stored for later visits

/** @typedef {{ name: string, alt: string, caption: string, credit?: string, sample?: string,
 *   read: (megapixels: number) => Promise<{ photo: HTMLCanvasElement, painting?: HTMLCanvasElement }> }} Source
 */

let state = EMPTY;
let numbers = 0; // of wishes and jobs
let said = ""; // the line under the picture, where the state gives none
let running = 0; // the worker's number of the job

/** @param {any} event */
function dispatch(event) {
  const before = state;
  state = next(state, event);
  render(before);
}

// ---------------------------------------------------------------- what is shown

/** @param {typeof EMPTY} before */
function render(before) {
  const { phase, hung, fault, progress } = state;
  document.documentElement.dataset.phase = phase;
  $("save").disabled = $("share").disabled = !hung;
  $("message").hidden = !fault;
  if (fault !== before.fault) {
    $("message-text").textContent = fault ? words(fault) : "";
    if (fault) $("message").scrollIntoView({ block: "nearest" });
  }
  $("again").hidden = !fault || state.job > 0 || !state.source;
  $("progress").hidden = !state.job || !progress;
  if (progress && state.job) showProgress(progress);
  $("status").textContent =
    phase === "loading" || phase === "painting" ? "" : fault && !hung ? "" : said || hung?.words || "";
  if (phase === "loading") $("status").textContent = state.wish ? "Opening the photograph…" : "Preparing the painter…";
  if (phase === "painting") $("status").textContent = "Painting…";
  $("figure").setAttribute("aria-busy", String(phase === "loading" || phase === "painting"));
}

/** @param {import("./studio.js").Progress} progress */
function showProgress({ kind, done, all }) {
  $("bar").max = all;
  if (kind === "wait") $("bar").removeAttribute("value");
  else $("bar").value = done;
  const megabytes = (/** @type {number} */ bytes) => (bytes / 1e6).toFixed(1);
  $("progress-text").textContent =
    kind === "bytes"
      ? `Fetching the painter: ${megabytes(done)} of ${megabytes(all)} MB`
      : kind === "tiles" && all > 1
        ? `Painting: ${done} of ${all} tiles`
        : "Painting";
}

/** @param {string} text */
function say(text) {
  said = text;
  render(state);
}

/** @param {unknown} error */
function note(error) {
  const { code, details } = asFault(error);
  dispatch({ type: "noted", fault: { code, details } });
}

// ---------------------------------------------------------------- the painter

/** @type {{ painters: any[], runtime: object }} */
let site = { painters: [], runtime: {} };
/** @type {any} */
let chosen = null; // of site.painters, or { own: true, name, data }
/** @type {Promise<any> | null} */
let opening = null;
/** @type {((news: any) => void) | null} */
let onBytes = null; // of the job that waits for the painter
let bytes = { done: 0, all: 1 };

/** The chosen painter, opened: fetched once, and again after a fault. */
function ready() {
  if (opening && painter.alive()) return opening;
  const asked = chosen.own ? chosen : { ...chosen, runtime: site.runtime };
  const mine = painter.open(asked, (news) => {
    bytes = news;
    onBytes?.(news);
  });
  opening = mine;
  mine.catch(() => {
    if (opening === mine) opening = null;
  });
  return mine;
}

/** @param {any} wanted */
async function choosePainter(wanted) {
  const before = chosen;
  const config = {};
  chosen = wanted;
  opening = null;
  try {
    if (wanted.own) Object.assign(config, (await ready()).config);
  } catch (error) {
    if (chosen === wanted) [chosen, opening] = [before, null];
    return note(error);
  }
  if (chosen !== wanted) return;
  $("own").hidden = !wanted.own;
  $("painter-name").textContent = wanted.own ? `${wanted.name}: ${describe(config)}` : "";
  $("painter-words").textContent = wanted.own ? "" : wanted.words;
  if (!wanted.own) $("painter").value = wanted.id;
  address();
  if (state.source) await repaint();
}

/** @param {File} file */
async function openOwn(file) {
  const data = await file.arrayBuffer().catch(() => new ArrayBuffer(0));
  await choosePainter({ own: true, name: file.name, data });
}

/** @param {any} config */
function describe({ model, generator_filters, residual_blocks, unet_depth, norm }) {
  const parts = model === "resnet" ? `ResNet of ${residual_blocks} blocks` : `U-Net of depth ${unet_depth}`;
  return `${parts}, ${generator_filters} filters, ${norm === "none" ? "no norm" : `${norm} norm`}.`;
}

// ---------------------------------------------------------------- a photo

/** Show a photo and paint it. What is being painted goes on until the new photo is decoded.
 * @param {Source} source
 * @param {boolean} [again] whether it is the photo on the easel, in another size
 */
async function take(source, again = false) {
  const wish = ++numbers;
  said = "";
  dispatch({ type: "asked", wish });
  try {
    const { photo, painting } = await source.read(Number($("size").value));
    if (wish !== state.wish) return;
    stop();
    const hung = painting && {
      source,
      settings: automatic(photo),
      words:
        `Painted beforehand · ${photo.width} × ${photo.height} pixels. ` +
        "Choose a photo, or move a slider, to paint on this device.",
    };
    easel.show(photo, source.alt, source.caption);
    if (painting) easel.hang(painting);
    dispatch({ type: "shown", wish, source, hung });
    setBrush(again && !painting ? chosenSettings() : automatic(photo));
    for (const button of $("samples").children) {
      button.setAttribute("aria-pressed", String(button.dataset.file === source.sample));
    }
    address();
    if (wish > 1 && !again) $("figure").scrollIntoView({ block: "nearest" }); // on a phone it is above the controls
    if (!painting) await repaint();
  } catch (error) {
    const { code, details } = asFault(error, "memory");
    dispatch({ type: "refused", wish, fault: { code, details } });
  }
}

/** @param {File} file */
function takeFile(file) {
  const name = file.name?.replace(/\.\w+$/, "") || "picture";
  return take({
    name,
    alt: "your photograph",
    caption: file.name || "Your picture",
    read: async (megapixels) => ({ photo: await readPhoto(file, megapixels) }),
  });
}

/** A sample, with the painting that was made of it beforehand where that has the size asked for.
 * @param {typeof SAMPLES[0]} sample
 */
function takeSample({ file, title, by, licence, alt }) {
  const picture = async (/** @type {string} */ name, /** @type {number} */ megapixels) => {
    const answer = await fetch(`samples/${name}.jpg`).catch(() => null);
    if (!answer?.ok) throw new Fault("sample-offline");
    return readPhoto(new File([await answer.blob()], `${name}.jpg`), megapixels);
  };
  return take({
    name: file,
    sample: file,
    alt,
    credit: `photograph by ${by}, ${licence}`,
    caption: `${title}, photograph by ${by}, ${licence}`,
    read: async (megapixels) => {
      const beforehand = megapixels >= 4 && chosen === site.painters[0];
      const [photo, painting] = await Promise.all([
        picture(file, megapixels),
        beforehand ? picture(`${file}-monet`, megapixels).catch(() => undefined) : undefined,
      ]);
      return { photo, painting };
    },
  });
}

/** The settings that suit a photo. @param {HTMLCanvasElement} photo */
function automatic({ width, height }) {
  const [brush, finer] = autoBrushes(width, height);
  return { brush, finer: Boolean(finer) };
}

/** Set the brush's limits, and the brush. @param {import("./studio.js").Settings} settings */
function setBrush(settings) {
  const { width, height } = easel.pictures.photo;
  const most = Math.max(1, Math.min(BROADEST, Math.floor(Math.min(width, height) / NARROWEST)));
  $("brush").max = most;
  $("brush").value = Math.min(most, settings.brush);
  $("finer").checked = settings.finer;
  showValues();
}

/** The settings that the controls show. */
function chosenSettings() {
  const brush = Number($("brush").value);
  return { brush, finer: $("finer").checked && brush > 1 };
}

/** The page's address says which sample and painter are shown, so that it can be passed on. */
function address() {
  const url = new URL(location.href);
  const set = (/** @type {string} */ key, /** @type {string | undefined} */ value) =>
    value ? url.searchParams.set(key, value) : url.searchParams.delete(key);
  const { sample } = state.source ?? {};
  set("sample", sample === SAMPLES[0].file ? undefined : sample);
  set("painter", chosen?.own || chosen === site.painters[0] ? undefined : chosen?.id);
  history.replaceState(null, "", url);
}

// ---------------------------------------------------------------- painting

async function repaint() {
  if (!state.source) return;
  stop();
  const job = ++numbers;
  const { source } = state;
  const settings = chosenSettings();
  const brushes = settings.finer ? [settings.brush, settings.brush / FINER] : [settings.brush];
  const tell = (/** @type {any} */ progress) => dispatch({ type: "progress", job, progress });
  said = "";
  dispatch({ type: "started", job });
  const late = setTimeout(() => state.job === job && tell({ kind: "wait", done: 0, all: 1 }), 500);
  onBytes = ({ done, all }) => {
    clearTimeout(late);
    tell({ kind: "bytes", done, all });
  };
  try {
    const waits = ready();
    if (bytes.done && bytes.done < bytes.all) onBytes(bytes);
    await waits;
    onBytes = null;
    if (job !== state.job) return;
    tell({ kind: "wait", done: 0, all: 1 });
    const { id, done } = painter.paint(easel.pictures.photo, brushes, (tile) => {
      if (job !== state.job) return;
      tell({ kind: "tiles", done: tile.done, all: tile.all });
      if (tile.all > 1) easel.showTile(tile);
    });
    running = id;
    const result = await done;
    if (!result || job !== state.job) return;
    const { painting, seconds, engine } = result;
    const { width, height } = painting;
    easel.hang(painting);
    const took = seconds < 10 ? seconds.toFixed(1) : Math.round(seconds);
    const line = `Painted in ${took} seconds on this device · ${width} × ${height} pixels · ${engine}`;
    dispatch({ type: "painted", job, hung: { source, settings, words: line } });
    keepForLater();
  } catch (error) {
    if (job === state.job) easel.clearSheet();
    const { code, details } = asFault(error);
    dispatch({ type: "broken", job, fault: { code, details } });
  } finally {
    clearTimeout(late);
  }
}

/** Stop what is being painted: what hung before is seen again. */
function stop() {
  if (!state.job) return;
  if (running) painter.cancel(running);
  running = 0;
  onBytes = null;
  dispatch({ type: "cancelled" });
  easel.clearSheet();
}

function cancelled() {
  const hadFocus = document.activeElement === $("cancel");
  stop();
  if (state.hung) {
    setBrush(state.hung.settings);
  }
  say("Cancelled. Change a setting or choose a photo to paint again.");
  if (hadFocus) $("brush").focus();
}

function showValues() {
  $("brush-value").textContent = `${$("brush").value}×`;
  $("brush").setAttribute("aria-valuetext", `${$("brush").value} times a stroke’s own width`);
  $("strength-value").textContent = `${$("strength").value} %`;
  $("painting").style.opacity = $("strength").value / 100;
  $("finer").disabled = Number($("brush").value) === 1;
}

// ---------------------------------------------------------------- saving and sharing

/** What hangs on the easel as a file, as the visitor wants it. A painting that is being made has no part in it. */
function file() {
  const { source } = /** @type {import("./studio.js").Hung} */ (state.hung);
  const picture = {
    ...easel.pictures,
    strength: $("strength").value / 100,
    name: source.name,
    credit: source.credit ?? "",
  };
  return sharing.fileOf(picture, $("format").value);
}

async function save() {
  try {
    const made = await file();
    sharing.save(made);
    say(`Saved ${made.name}, ${(made.size / 1e6).toFixed(1)} MB.`);
  } catch (error) {
    note(error);
  }
}

async function share() {
  try {
    if (await sharing.share(await file(), location.href)) say("Shared.");
  } catch (error) {
    note(error);
  }
}

// ---------------------------------------------------------------- the camera

/** @type {MediaStream | null} */
let stream = null;

async function openCamera() {
  if (matchMedia("(pointer: coarse)").matches) return $("shot").click(); // the phone's own camera, at full size
  try {
    stream = await navigator.mediaDevices.getUserMedia({
      video: { facingMode: { ideal: "environment" }, width: { ideal: 1920 } },
    });
  } catch (error) {
    return note(
      new Fault(/** @type {Error} */ (error).name === "NotAllowedError" ? "camera-refused" : "camera-silent"),
    );
  }
  $("video").srcObject = stream;
  $("camera-dialog").showModal();
}

function shoot() {
  const video = $("video");
  if (!video.videoWidth) return;
  const frame = toCanvas(video, video.videoWidth, video.videoHeight);
  $("camera-dialog").close();
  take({
    name: "camera",
    alt: "your photograph",
    caption: "From your camera",
    read: async (megapixels) => ({ photo: toCanvas(frame, frame.width, frame.height, megapixels) }),
  });
}

function closeCamera() {
  for (const track of stream?.getTracks() ?? []) track.stop();
  stream = null;
}

// ---------------------------------------------------------------- what is dropped

/** @param {DataTransfer | null} data */
async function takeDropped(data) {
  const files = [...(data?.files ?? [])];
  const own = files.find(({ name }) => /\.onnx$/i.test(name));
  if (own) return openOwn(own);
  if (files.length) {
    await Promise.resolve(takeFile(files[0]));
    if (files.length > 1) note(new Fault("photo-several", { count: files.length, name: files[0].name }));
    return;
  }
  const html = data?.getData("text/html") ?? "";
  const image = new DOMParser().parseFromString(html, "text/html").querySelector("img")?.src;
  const url = image || data?.getData("text/uri-list").split("\n")[0];
  if (!url) return note(new Fault("drop-nothing"));
  try {
    const blob = await (await fetch(url)).blob();
    await takeFile(
      new File([blob], url.startsWith("data:") ? "picture" : url.split(/[/?#]/).findLast(Boolean) || "picture"),
    );
  } catch {
    note(new Fault("photo-elsewhere"));
  }
}

// ---------------------------------------------------------------- what listens to what

for (const sample of SAMPLES) {
  const button = document.createElement("button");
  button.type = "button";
  button.dataset.file = sample.file;
  button.title = sample.title;
  const image = new Image(96, 72);
  image.src = `samples/${sample.file}-small.jpg`;
  image.alt = `${sample.title}: ${sample.alt}`;
  button.append(image);
  button.addEventListener("click", () => takeSample(sample));
  $("samples").append(button);
}

for (const id of ["file", "shot"]) {
  $(id).addEventListener("change", () => {
    const [chosen] = $(id).files;
    if (chosen) takeFile(chosen);
    $(id).value = "";
  });
}
$("choose").addEventListener("click", () => $("file").click());
$("choose-painter").addEventListener("click", () => $("painter-file").click());
$("painter-file").addEventListener("change", () => {
  const [file] = $("painter-file").files;
  if (file) openOwn(file);
  $("painter-file").value = "";
});
$("own").addEventListener("click", () => choosePainter(site.painters[0]));
$("painter").addEventListener("change", () => choosePainter(site.painters.find(({ id }) => id === $("painter").value)));
$("brush").addEventListener("input", showValues);
$("brush").addEventListener("change", repaint);
$("finer").addEventListener("change", repaint);
$("strength").addEventListener("input", showValues);
$("size").addEventListener("change", () => state.source && take(state.source, true));
$("save").addEventListener("click", save);
$("share").addEventListener("click", share);
$("cancel").addEventListener("click", cancelled);
$("again").addEventListener("click", repaint);

let entered = 0; // dragenter and dragleave come for every element on the way
addEventListener("dragenter", () => {
  entered += 1;
  $("drop-hint").hidden = false;
});
addEventListener("dragleave", () => {
  entered = Math.max(0, entered - 1);
  $("drop-hint").hidden = entered === 0;
});
addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", (event) => {
  event.preventDefault();
  entered = 0;
  $("drop-hint").hidden = true;
  takeDropped(event.dataTransfer);
});
addEventListener("paste", (event) => {
  const [file] = event.clipboardData?.files ?? [];
  if (file) takeFile(file);
});

if (navigator.mediaDevices && "getUserMedia" in navigator.mediaDevices) {
  $("camera").hidden = false;
  $("camera").addEventListener("click", openCamera);
  $("shoot").addEventListener("click", shoot);
  $("camera-close").addEventListener("click", () => $("camera-dialog").close());
  $("camera-dialog").addEventListener("close", closeCamera);
}
$("share").hidden = !sharing.canShare();

/** Store everything for later visits without a network, once something hangs and the painter is there. */
async function keepForLater() {
  if (!("serviceWorker" in navigator) || !$("offline").hidden) return;
  try {
    await navigator.serviceWorker.register("sw.js");
    await navigator.serviceWorker.ready;
    $("offline").hidden = false;
  } catch {
    // The page works without it.
  }
}

async function begin() {
  document.documentElement.dataset.started = ""; // start.js waits for it
  $("trouble").hidden = true;
  showValues();
  const asked = new URL(location.href).searchParams;
  try {
    const answer = await fetch("painters.json");
    site = await answer.json();
  } catch {
    note(new Fault("offline", { file: "painters.json" }));
  }
  for (const { id, title } of site.painters) $("painter").append(new Option(title, id));
  $("painter-choice").hidden = site.painters.length < 2;
  const painterAsked = asked.get("painter"),
    sampleAsked = asked.get("sample");
  chosen = site.painters.find(({ id }) => id === painterAsked) ?? site.painters[0] ?? null;
  if (chosen) [$("painter").value, $("painter-words").textContent] = [chosen.id, chosen.words];
  await takeSample(SAMPLES.find((sample) => sample.file === sampleAsked) ?? SAMPLES[0]);
  if (painterAsked && chosen?.id !== painterAsked) note(new Fault("painter-unknown", { name: painterAsked }));
  if (sampleAsked && !SAMPLES.some(({ file }) => file === sampleAsked))
    note(new Fault("sample-unknown", { name: sampleAsked }));
  // The painter comes while the visitor looks at the first painting, unless the visitor saves data. Storing everything
  // waits until the network is not needed for a painting.
  if (!chosen || !state.hung || /** @type {any} */ (navigator).connection?.saveData) return;
  const store = () => (state.job ? setTimeout(store, STORE) : keepForLater());
  ready().then(
    () => setTimeout(store, STORE),
    () => {},
  );
}

begin();
