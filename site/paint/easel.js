// The picture on the page: photograph and painting under one divider, zoomed by buttons, wheel or two fingers.
//
// The pictures at full size are not part of the page: its two canvases have the screen's size, and show the part that is
// looked at. That takes a fraction of the memory. A painting that is being made is drawn on a sheet of its own above the
// painting that hangs, so the painting that hangs stays whole until the new one is.

import { divider } from "./divider.js";

const $ = (/** @type {string} */ id) => /** @type {any} */ (document.getElementById(id));
const SHEET = 1600; // px of the sheet's longer side, at most
const CLOSEST = 8; // times the size at which a pixel of the picture is a pixel of the page

/** At full size. @type {Record<"photo" | "painting" | "sheet", HTMLCanvasElement>} */
export const pictures = { photo: canvas(3, 2), painting: canvas(0, 0), sheet: canvas(0, 0) };
let touched = false; // whether the divider was moved by hand

/** @param {number} width @param {number} height */
function canvas(width, height) {
  return Object.assign(document.createElement("canvas"), { width, height });
}

/** Put a picture in another one's place, whose memory is freed.
 * @param {keyof typeof pictures} name @param {HTMLCanvasElement} [picture]
 */
function replace(name, picture = canvas(0, 0)) {
  pictures[name].width = 0;
  pictures[name] = picture;
  $("frame").classList.toggle("done", pictures.painting.width + pictures.sheet.width > 0);
  draw();
}

/** Put a photograph on the easel, in place of what is there.
 * @param {HTMLCanvasElement} photo
 * @param {string} alt
 * @param {string} caption
 */
export function show(photo, alt, caption) {
  replace("photo", photo);
  replace("painting");
  clearSheet();
  $("frame").style.setProperty("--ratio", photo.width / photo.height);
  $("compare").setAttribute("aria-label", `Photograph, left of the divider, and painting: ${alt}`);
  $("caption").textContent = caption;
  view(1, 0, 0);
}

/** Hang a whole painting. @param {HTMLCanvasElement} painting */
export function hang(painting) {
  replace("painting", painting);
  clearSheet();
  if ($("compare").value === 100) unveil();
}

/** Draw a tile of the painting that is being made. @param {any} tile */
export function showTile({ rgba, left, top, width, height, brush }) {
  const { photo } = pictures;
  const scale = Math.min(1, SHEET / Math.max(photo.width, photo.height));
  if (!pictures.sheet.width) {
    replace("sheet", canvas(Math.round(photo.width * scale), Math.round(photo.height * scale)));
  }
  const tile = canvas(width, height);
  tile.getContext("2d")?.putImageData(new ImageData(rgba, width), 0, 0);
  const size = brush * scale;
  const context = pictures.sheet.getContext("2d");
  if (!context) return;
  context.imageSmoothingQuality = "high";
  context.drawImage(tile, left * size, top * size, width * size, height * size);
  draw();
}

export function clearSheet() {
  replace("sheet");
}

let drawing = false;

/** Draw what is looked at, before the screen shows its next picture. */
function draw() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    const { clientWidth, clientHeight } = $("compare");
    const [width, height] = [clientWidth, clientHeight].map((side) => Math.round(side * devicePixelRatio));
    for (const name of /** @type {const} */ (["photo", "painting"])) {
      const shown = $(name);
      [shown.width, shown.height] = [width, height]; // which clears it
      const context = shown.getContext("2d");
      context.imageSmoothingQuality = "high";
      for (const picture of name === "photo" ? [pictures.photo] : [pictures.painting, pictures.sheet]) {
        const [x, y] = [left * devicePixelRatio, top * devicePixelRatio];
        if (picture.width) context.drawImage(picture, x, y, width * scale, height * scale);
      }
    }
  });
}

// ---------------------------------------------------------------- the divider

const divide = divider($("compare"), (value, byHand) => {
  touched ||= byHand;
  $("tag-photo").classList.toggle("gone", value < 14);
  $("tag-painting").classList.toggle("gone", value > 86);
});

/** Draw the divider to the left once, so that nobody has to be told that it moves. */
function unveil() {
  const start = performance.now();
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const step = (/** @type {number} */ now) => {
    if (touched) return;
    const share = still ? 1 : Math.min(1, Math.max(0, now - start) / 900);
    divide(100 - 62 * (1 - (1 - share) ** 3));
    if (share < 1) requestAnimationFrame(step);
  };
  step(start);
}

// ---------------------------------------------------------------- zoom

let scale = 1,
  left = 0,
  top = 0; // of the picture in its frame; left and top in px, 0 or less
/** @type {Map<number, PointerEvent>} */
const fingers = new Map();

/** @param {number} newScale @param {number} x @param {number} y */
function view(newScale, x, y) {
  const { clientWidth: width, clientHeight: height } = $("compare");
  const closest = Math.max(2, (CLOSEST * pictures.photo.width) / Math.max(1, width * devicePixelRatio));
  scale = Math.min(closest, Math.max(1, newScale));
  left = Math.min(0, Math.max(width - width * scale, x));
  top = Math.min(0, Math.max(height - height * scale, y));
  $("compare").handle = scale > 1; // then a finger beside the handle moves the picture
  $("frame").classList.toggle("zoomed", scale > 1);
  $("closer").setAttribute("aria-pressed", String(scale > 1));
  draw();
}

/** Zoom by a factor, the point (x, y) of the frame staying where it is. @param {number} by @param {number} x @param {number} y */
function zoom(by, x, y) {
  const wanted = scale * by;
  view(wanted, x - ((x - left) * wanted) / scale, y - ((y - top) * wanted) / scale);
}

/** Show a pixel of the picture as a pixel of the screen, around a point; or the whole picture again.
 * @param {number} x @param {number} y
 */
function toggle(x, y) {
  if (scale > 1) return view(1, 0, 0);
  const actual = pictures.photo.width / ($("compare").clientWidth * devicePixelRatio);
  zoom(Math.max(2, actual), x, y);
}

/** @param {{ clientX: number, clientY: number }} event */
function placeOf({ clientX, clientY }) {
  const box = $("compare").getBoundingClientRect();
  return [clientX - box.left, clientY - box.top];
}

/** @param {PointerEvent} event */
function move(event) {
  const before = fingers.get(event.pointerId);
  if (!before) return;
  const other = [...fingers.values()].find((finger) => finger.pointerId !== event.pointerId);
  if (other) {
    const [x, y] = placeOf(other);
    const apart = (/** @type {PointerEvent} */ e) => Math.hypot(e.clientX - other.clientX, e.clientY - other.clientY);
    zoom(Math.max(0.2, apart(event)) / Math.max(0.2, apart(before)), x, y);
  } else if (scale > 1 && !dividing) {
    view(scale, left + event.clientX - before.clientX, top + event.clientY - before.clientY);
  }
  fingers.set(event.pointerId, event);
}

let dividing = false; // whether the finger holds the divider's handle

function listen() {
  const compare = $("compare");
  compare.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "+" || event.key === "-") {
      zoom(event.key === "+" ? 1.5 : 1 / 1.5, compare.clientWidth / 2, compare.clientHeight / 2);
    }
  });
  compare.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => {
    const handle = $("handle").getBoundingClientRect();
    dividing =
      scale === 1 ||
      (Math.abs(event.clientX - (handle.left + handle.width / 2)) < 30 &&
        Math.abs(event.clientY - (handle.top + handle.height / 2)) < 30);
    fingers.set(event.pointerId, event);
    if (fingers.size === 2) compare.handle = true; // two fingers zoom: they don't move the divider
    if (!dividing) compare.setPointerCapture(event.pointerId);
  });
  compare.addEventListener("pointermove", move);
  for (const kind of ["pointerup", "pointercancel"]) {
    compare.addEventListener(kind, (/** @type {PointerEvent} */ event) => {
      fingers.delete(event.pointerId);
      if (!fingers.size) compare.handle = scale > 1;
      if (event.pointerType === "touch") compare.blur(); // with the focus, the next swipe would move the divider at once
    });
  }
  // Before the library sees it: a second finger zooms, and must not move the divider.
  for (const kind of ["touchstart", "touchmove"]) {
    $("frame").addEventListener(
      kind,
      (/** @type {TouchEvent} */ event) => {
        if (event.touches.length > 1) event.stopPropagation();
        // A page that is scrolling already can't be held: its moves are not cancelable.
        if (kind === "touchmove" && event.cancelable && (event.touches.length > 1 || scale > 1)) event.preventDefault();
      },
      { capture: true, passive: false },
    );
  }
  compare.addEventListener(
    "wheel",
    (/** @type {WheelEvent} */ event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      const [x, y] = placeOf(event);
      zoom(Math.exp(-event.deltaY / 200), x, y);
    },
    { passive: false },
  );
  compare.addEventListener("dblclick", (/** @type {MouseEvent} */ event) => {
    const [x, y] = placeOf(event);
    toggle(x, y);
  });
  $("closer").addEventListener("click", () => toggle(compare.clientWidth / 2, compare.clientHeight / 2));
  $("full").addEventListener("click", fullScreen);
  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && $("figure").classList.contains("full")) fullScreen();
  });
  document.addEventListener("fullscreenchange", () => filled(document.fullscreenElement === $("figure")));
  new ResizeObserver(() => view(scale, left, top)).observe(compare);
}

/** The picture on the whole screen, or back. iPhones give the whole screen to films alone: there it fills the page. */
async function fullScreen() {
  const figure = $("figure");
  if (document.fullscreenElement) return document.exitFullscreen();
  if (figure.classList.contains("full")) return filled(false);
  if (!figure.requestFullscreen) return filled(true);
  await figure.requestFullscreen().catch(() => filled(true));
}

/** @param {boolean} full */
function filled(full) {
  $("figure").classList.toggle("full", full);
  $("full").setAttribute("aria-pressed", String(full));
  view(1, 0, 0);
}

listen();
