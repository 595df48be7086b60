// The picture on the page: photograph and painting under one divider, zoomed by buttons, wheel or two fingers.
//
// A painting that is being made is drawn on a sheet of its own above the painting that hangs, so the painting that
// hangs stays whole until the new one is.

import { divider } from "./divider.js";

const $ = (/** @type {string} */ id) => /** @type {any} */ (document.getElementById(id));
const SHEET = 1600; // px of the sheet's longer side, at most
const CLOSEST = 8; // times the size at which a pixel of the picture is a pixel of the page

let touched = false; // whether the divider was moved by hand

/** Put a photograph on the easel, in place of what is there.
 * @param {HTMLCanvasElement} canvas
 * @param {string} alt
 * @param {string} caption
 */
export function show(canvas, alt, caption) {
  canvas.id = "photo";
  canvas.slot = "first";
  $("photo").width = 0; // its memory
  $("photo").replaceWith(canvas);
  $("painting").width = $("painting").height = 0;
  clearSheet();
  $("frame").style.setProperty("--ratio", canvas.width / canvas.height);
  $("frame").classList.remove("done");
  $("compare").setAttribute("aria-label", `Photograph, left of the divider, and painting: ${alt}`);
  $("caption").textContent = caption;
  view(1, 0, 0);
}

/** Hang a whole painting: its pixels, or a canvas. @param {ImageData | HTMLCanvasElement} painting */
export function hang(painting) {
  const canvas = $("painting");
  if (painting instanceof ImageData) {
    if (canvas.width !== painting.width || canvas.height !== painting.height) {
      [canvas.width, canvas.height] = [painting.width, painting.height];
    }
    canvas.getContext("2d").putImageData(painting, 0, 0);
  } else {
    painting.id = "painting";
    painting.style.opacity = canvas.style.opacity;
    canvas.replaceWith(painting);
  }
  clearSheet();
  $("frame").classList.add("done");
  if ($("compare").value === 100) unveil();
}

/** Draw a tile of the painting that is being made. @param {any} tile */
export function showTile({ rgba, left, top, width, height, brush }) {
  const sheet = $("sheet"),
    photo = $("photo");
  const scale = Math.min(1, SHEET / Math.max(photo.width, photo.height));
  if (!sheet.width) [sheet.width, sheet.height] = [photo.width, photo.height].map((side) => Math.round(side * scale));
  const tile = document.createElement("canvas");
  [tile.width, tile.height] = [width, height];
  /** @type {any} */ (tile.getContext("2d")).putImageData(new ImageData(rgba, width, height), 0, 0);
  const size = brush * scale;
  const context = sheet.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(tile, left * size, top * size, width * size, height * size);
  $("frame").classList.add("done");
}

export function clearSheet() {
  $("sheet").width = $("sheet").height = 0;
  if (!$("painting").width) $("frame").classList.remove("done");
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
  const closest = Math.max(2, (CLOSEST * $("photo").width) / Math.max(1, width * devicePixelRatio));
  scale = Math.min(closest, Math.max(1, newScale));
  left = Math.min(0, Math.max(width - width * scale, x));
  top = Math.min(0, Math.max(height - height * scale, y));
  for (const part of [$("photo"), $("layer")]) {
    part.style.transform = scale === 1 ? "" : `translate(${left}px, ${top}px) scale(${scale})`;
  }
  $("compare").handle = scale > 1; // then a finger beside the handle moves the picture
  $("frame").classList.toggle("zoomed", scale > 1);
  $("closer").setAttribute("aria-pressed", String(scale > 1));
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
  const actual = $("photo").width / ($("compare").clientWidth * devicePixelRatio);
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
  addEventListener("resize", () => view(scale, left, top));
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
