// The page: choose a photo, see it painted, compare, save.

import * as painter from "./painter.js";
import { readPhoto, toCanvas } from "./photo.js";
import { SAMPLES } from "./samples.js";

const $ = (id) => document.getElementById(id);
const NARROWEST = 16; // px of the shorter side that a wide brush must leave, as in `monet translate`
const BROADEST = 12;

let source = null; // { file or canvas, name, caption, alt }
let photo = null; // its canvas, at the size asked for
let job = null; // { id } of the painting that is being made
let hung = null; // the ImageData of the last whole painting
let ready = null; // a promise of { config, engine }
let touched = false; // whether the divider was moved by hand
let turn = 0; // counts photos, so that a slow one doesn't overtake the next

let settled; // called when the first painting hangs, or can't
const first = new Promise((resolve) => { settled = resolve; });

// ---------------------------------------------------------------- the painter

const courses = fetch("monet.onnx").then((answer) => {
  if (!answer.ok) throw new Error("The painter’s file is missing on this server. Reload the page.");
  return answer.arrayBuffer();
});

function openCourses() {
  ready = courses.then((bytes) => painter.open(bytes.slice(0)));
  $("painter-name").textContent = "";
  $("own").hidden = true;
  return ready;
}

async function openOwn(file) {
  clear();
  say(`Opening ${file.name}…`);
  const opened = file.arrayBuffer().then(painter.open);
  try {
    const { config } = await opened;
    ready = opened;
    $("painter-name").textContent = `${file.name}: ${describe(config)}`;
    $("own").hidden = false;
    await repaint();
  } catch (error) {
    fail(`“${file.name}” ${error.message}`);
  }
}

function describe({ model, generator_filters, residual_blocks, unet_depth, norm }) {
  const parts = model === "resnet" ? `ResNet of ${residual_blocks} blocks` : `U-Net of depth ${unet_depth}`;
  return `${parts}, ${generator_filters} filters, ${norm === "none" ? "no norm" : `${norm} norm`}.`;
}

// ---------------------------------------------------------------- a photo

async function take(next) {
  const mine = ++turn;
  clear();
  stop();
  try {
    const canvas = await next.read(Number($("size").value));
    if (mine !== turn) return;
    source = next;
    show(canvas);
    setBrush();
    if (mine > 1) $("figure").scrollIntoView({ block: "nearest" }); // on a phone it is above the controls
    await repaint();
  } catch (error) {
    if (mine === turn) fail(error.message);
  }
}

function takeFile(file) {
  const name = file.name?.replace(/\.\w+$/, "") || "picture";
  press(null);
  take({ name, alt: "your photograph", caption: file.name || "Your picture", read: (size) => readPhoto(file, size) });
}

function takeSample(sample) {
  press(sample.file);
  take({
    name: sample.file,
    alt: sample.alt,
    caption: `${sample.title}, photograph by ${sample.by}, ${sample.licence}`,
    read: async (size) => {
      const answer = await fetch(`samples/${sample.file}.jpg`).catch(() => null);
      if (!answer?.ok) throw new Error("The sample could not be loaded. Are you offline? Choose a photo of your own.");
      return readPhoto(new File([await answer.blob()], `${sample.file}.jpg`), size);
    },
  });
}

function show(canvas) {
  photo = canvas;
  hung = null;
  $("save").disabled = true;
  for (const id of ["photo", "painting"]) [$(id).width, $(id).height] = [canvas.width, canvas.height];
  $("photo").getContext("2d").drawImage(canvas, 0, 0);
  $("photo").setAttribute("aria-label", `Photograph: ${source.alt}`);
  $("painting").setAttribute("aria-label", `Painting: ${source.alt}`);
  $("frame").style.setProperty("--ratio", canvas.width / canvas.height);
  $("frame").classList.remove("done");
  $("caption").textContent = source.caption;
}

/** A brush that shows: of a large photo, the strokes of 1 are finer than the screen. */
function setBrush() {
  const side = Math.min(photo.width, photo.height);
  const most = Math.max(1, Math.min(BROADEST, Math.floor(side / NARROWEST)));
  $("brush").max = most;
  $("brush").value = Math.min(most, Math.max(1, Math.round(side / 400)));
  showValues();
}

// ---------------------------------------------------------------- painting

async function repaint() {
  if (!photo) return;
  stop();
  clear();
  const mine = turn, brush = Number($("brush").value);
  try {
    say("Preparing the painter…");
    const { engine } = await ready;
    if (mine !== turn || job) return;
    say("Painting…");
    job = painter.paint(photo, brush, (tile) => showTile(tile));
    const current = job;
    const busy = setTimeout(() => current === job && progress(0, 1), 400);
    const result = await current.done;
    clearTimeout(busy);
    if (current !== job) return;
    job = null;
    hideProgress();
    if (!result) return;
    showPainting(result);
    settled();
    const { width, height, seconds } = result;
    say(`Painted in ${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} seconds on this device · `
      + `${width} × ${height} pixels · ${engine}`);
  } catch (error) {
    job = null;
    hideProgress();
    fail(error.message);
    settled();
  }
}

function showPainting({ rgba, width, height }) {
  hung = new ImageData(rgba, width, height);
  $("painting").getContext("2d").putImageData(hung, 0, 0);
  $("frame").classList.add("done");
  $("save").disabled = false;
  if (Number($("compare").value) === 100) unveil();
}

/** A tile appears in its place as soon as it is painted, enlarged by the brush as well as the screen does it. */
async function showTile({ id, done, all, rgba, left, top, width, height, brush }) {
  if (job?.id !== id) return;
  if (all > 1) progress(done, all);
  if (!rgba) return;
  const bitmap = await createImageBitmap(new ImageData(rgba, width, height));
  if (job?.id !== id) return;
  $("painting").getContext("2d").drawImage(bitmap, left * brush, top * brush, width * brush, height * brush);
}

function progress(done, all) {
  $("progress").hidden = false;
  $("bar").max = all;
  if (done) $("bar").value = done;
  else $("bar").removeAttribute("value");
  $("progress-text").textContent = all > 1 ? `Painting: ${done} of ${all} tiles` : "Painting";
}

function hideProgress() {
  $("progress").hidden = true;
}

function stop() {
  if (!job) return;
  painter.cancel(job.id);
  job = null;
  hideProgress();
}

function cancelled() {
  const hadFocus = document.activeElement === $("cancel");
  stop();
  // Of what was half painted over, the last whole painting, or none, comes back.
  if (hung) $("painting").getContext("2d").putImageData(hung, 0, 0);
  else $("painting").getContext("2d").clearRect(0, 0, $("painting").width, $("painting").height);
  say("Cancelled. Change a setting or choose a photo to paint again.");
  if (hadFocus) $("brush").focus();
}

// ---------------------------------------------------------------- comparing and saving

function compare() {
  const value = Number($("compare").value);
  $("frame").style.setProperty("--cut", `${value}%`);
  $("compare").setAttribute("aria-valuetext", `${value} % photograph, ${100 - value} % painting`);
  $("tag-photo").classList.toggle("gone", value < 14);
  $("tag-painting").classList.toggle("gone", value > 86);
}

/** Draw the divider to the left once, so that nobody has to be told that it moves. */
function unveil() {
  const start = performance.now();
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const step = (now) => {
    if (touched) return;
    const share = still ? 1 : Math.min(1, (now - start) / 900);
    $("compare").value = 100 - 62 * (1 - (1 - share) ** 3);
    compare();
    if (share < 1) requestAnimationFrame(step);
  };
  step(start);
}

function follow(event) {
  touched = true;
  const box = $("frame").getBoundingClientRect();
  $("compare").value = Math.round(((event.clientX - box.left) / box.width) * 100);
  compare();
}

function showValues() {
  $("brush-value").textContent = `${$("brush").value}×`;
  $("brush").setAttribute("aria-valuetext", `${$("brush").value} times a stroke’s own width`);
  $("strength-value").textContent = `${$("strength").value} %`;
  $("painting").style.opacity = $("strength").value / 100;
}

/** What is on the easel, photo and painting blended by the strength, as a canvas. */
function blended() {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [photo.width, photo.height];
  const context = canvas.getContext("2d");
  context.drawImage(photo, 0, 0);
  context.globalAlpha = $("strength").value / 100;
  context.drawImage($("painting"), 0, 0);
  return canvas;
}

async function save() {
  const blob = await new Promise((resolve) => blended().toBlob(resolve, "image/jpeg", 0.95));
  if (!blob) return fail("The browser could not make the JPEG: too little memory. Choose a smaller size.");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = `${source.name}-monet.jpg`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  say(`Saved ${link.download}, ${(blob.size / 1e6).toFixed(1)} MB.`);
}

// ---------------------------------------------------------------- the camera

let stream = null;

async function openCamera() {
  clear();
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1920 } } });
  } catch (error) {
    return fail(error.name === "NotAllowedError"
      ? "The browser may not use the camera. Allow it in the address bar, or choose a photo."
      : "No camera answered. Is another program using it? Choose a photo instead.");
  }
  $("video").srcObject = stream;
  $("camera-dialog").showModal();
}

function shoot() {
  const video = $("video");
  if (!video.videoWidth) return;
  const size = [video.videoWidth, video.videoHeight];
  const frame = toCanvas(video, ...size);
  $("camera-dialog").close();
  press(null);
  take({
    name: "camera", alt: "your photograph", caption: "From your camera",
    read: async (megapixels) => toCanvas(frame, ...size, megapixels),
  });
}

function closeCamera() {
  for (const track of stream?.getTracks() ?? []) track.stop();
  stream = null;
}

// ---------------------------------------------------------------- words

function say(text) {
  $("status").textContent = text;
}

function fail(text) {
  say("");
  $("message").textContent = text;
  $("message").hidden = false;
  $("message").scrollIntoView({ block: "nearest" });
}

function clear() {
  $("message").hidden = true;
  $("message").textContent = "";
}

function press(file) {
  for (const button of $("samples").children) {
    button.setAttribute("aria-pressed", String(button.dataset.file === file));
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

$("choose").addEventListener("click", () => $("file").click());
$("file").addEventListener("change", () => {
  const [file] = $("file").files;
  if (file) takeFile(file);
  $("file").value = "";
});
$("choose-painter").addEventListener("click", () => $("painter-file").click());
$("painter-file").addEventListener("change", () => {
  const [file] = $("painter-file").files;
  if (file) openOwn(file);
  $("painter-file").value = "";
});
$("own").addEventListener("click", () => openCourses() && repaint());
$("brush").addEventListener("input", showValues);
$("brush").addEventListener("change", repaint);
$("strength").addEventListener("input", showValues);
$("size").addEventListener("change", () => source && take(source));
$("save").addEventListener("click", save);
$("cancel").addEventListener("click", cancelled);

$("compare").addEventListener("input", () => {
  touched = true;
  compare();
});
$("frame").addEventListener("pointerdown", (event) => {
  if (event.target.closest(".progress") || event.button) return;
  $("frame").setPointerCapture(event.pointerId);
  follow(event);
});
$("frame").addEventListener("pointermove", (event) => {
  if ($("frame").hasPointerCapture(event.pointerId)) follow(event);
});

let entered = 0; // dragenter and dragleave come for every element on the way
addEventListener("dragenter", (event) => {
  if (!event.dataTransfer?.types.includes("Files")) return;
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
  const [file] = event.dataTransfer?.files ?? [];
  if (file) (file.name.endsWith(".onnx") ? openOwn : takeFile)(file);
});
addEventListener("paste", (event) => {
  const [file] = event.clipboardData?.files ?? [];
  if (file) takeFile(file);
});

if (navigator.mediaDevices?.getUserMedia) {
  $("camera").hidden = false;
  $("camera").addEventListener("click", openCamera);
  $("shoot").addEventListener("click", shoot);
  $("camera-close").addEventListener("click", () => $("camera-dialog").close());
  $("camera-dialog").addEventListener("close", closeCamera);
}

compare();
showValues();
openCourses().catch((error) => {
  fail(error.message);
  settled();
});
takeSample(SAMPLES[0]);

// Once the first painting hangs, everything is stored for later visits without a network.
if ("serviceWorker" in navigator) {
  const store = async () => {
    await first;
    await navigator.serviceWorker.register("sw.js");
    await navigator.serviceWorker.ready;
    $("offline").hidden = false;
  };
  if (document.readyState === "complete") store().catch(() => null);
  else addEventListener("load", () => store().catch(() => null));
}
