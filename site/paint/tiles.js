// A photo of any size painted in tiles, as monet_lib/paint/painting.py does it: the same places, the same fades.

import { resize } from "./resize.js";

const TILE = 640; // px
const FADE = 32; // px over which a tile fades into the one before
const SMALLEST = 72; // px to which a small photo is filled up
const UNKNOWN = 64; // px of a tile's border thrown away where a network looks at the whole picture

/** @typedef {import("./resize.js").Pixels} Pixels
 * @typedef {ReturnType<typeof tiles>[0]} Tile of one side
 * @typedef {import("./worker.js").Paint} Paint
 * @typedef {{ brush: number, width: number, height: number }} Size
 */

const ACROSS = 300; // px of the shorter side that are left for the broad strokes, as in `monet translate --brush auto`
const LARGE = 1e6; // pixels from which a photo is painted in two passes

/** The brushes that suit a photo of this size. @param {number} width @param {number} height */
export function autoBrushes(width, height) {
  const broad = roundHalfEven(Math.min(width, height) / ACROSS);
  return width * height <= LARGE || broad < 2 ? [1] : [broad, broad / 2];
}

/** The size at which each brush paints.
 * @param {number} width @param {number} height @param {number[]} brushes
 * @returns {Size[]}
 */
export function passes(width, height, brushes) {
  return brushes.map((brush) => ({
    brush,
    width: roundHalfEven(width / brush),
    height: roundHalfEven(height / brush),
  }));
}

/** Python's round: halves go to the even number. @param {number} x */
function roundHalfEven(x) {
  const floor = Math.floor(x);
  return x - floor === 0.5 ? floor + (floor % 2) : Math.round(x);
}

/** A photo painted once for each brush, from the broadest to the finest: { pixels, width, height } of the finest one.
 *
 * The result is the mean of these paintings: broad strokes give the colours, finer ones on top the drawing. onTile:
 * async ({ done, all, pixels, left, top, width, height, brush }) after each tile; it may throw to stop.
 * @param {Paint} paint for a picture of at most TILE px a side
 * @param {(Size & { pixels: Pixels })[]} photos the photo at each brush's size
 * @param {number | null} surroundings
 * @param {(tile: any) => Promise<void>} onTile
 */
export async function paintInPasses(paint, photos, surroundings, onTile) {
  const counts = photos.map(({ width, height }) => count(width, height, surroundings));
  const all = counts.reduce((a, b) => a + b, 0);
  let before = 0;
  let under = null;
  for (const [k, { pixels, width, height, brush }] of photos.entries()) {
    const shown = (/** @type {any} */ tile) => onTile({ ...tile, done: before + tile.done, all, brush });
    const painting = await paintLarge(paint, pixels, width, height, surroundings, shown);
    if (under) {
      // At the size of the finer painting: the photo's own size would take more memory.
      const broad = resize(under.pixels, under.width, under.height, width, height);
      for (let at = 0; at < painting.length; at++) painting[at] = broad[at] + (painting[at] - broad[at]) / (k + 1);
    }
    under = { pixels: painting, width, height };
    before += counts[k];
  }
  return /** @type {Size & { pixels: Pixels }} */ (under);
}

/**
 * @param {Paint} paint
 * @param {Pixels} pixels
 * @param {number} width
 * @param {number} height
 * @param {number | null} surroundings
 * @param {(tile: any) => Promise<void>} onTile
 */
async function paintLarge(paint, pixels, width, height, surroundings, onTile) {
  const filledWidth = width + filling(width),
    filledHeight = height + filling(height);
  const photo = fill(pixels, width, height, filledWidth, filledHeight);
  const painting = new Uint8ClampedArray(photo.length);
  const [down, across] = grid(filledWidth, filledHeight, surroundings);
  let done = 0;
  for (const rows of down) {
    const stripHeight = rows.to - rows.from;
    const strip = new Uint8ClampedArray(stripHeight * filledWidth * 3);
    for (const columns of across) {
      const part = cut(photo, filledWidth, columns.start, rows.start, columns.tile, rows.tile);
      const painted = await paint(part, columns.tile, rows.tile);
      const width = columns.to - columns.from;
      const inside = cut(
        painted,
        columns.tile,
        columns.from - columns.start,
        rows.from - rows.start,
        width,
        stripHeight,
      );
      fadeIn(
        strip,
        filledWidth,
        inside,
        columns.from,
        0,
        width,
        stripHeight,
        (x) => share(columns, x),
        () => 1,
      );
      done += 1;
      await onTile({
        done,
        left: columns.from,
        top: rows.from,
        width,
        height: stripHeight,
        pixels: cut(strip, filledWidth, columns.from, 0, width, stripHeight),
      });
    }
    fadeIn(
      painting,
      filledWidth,
      strip,
      0,
      rows.from,
      filledWidth,
      stripHeight,
      () => 1,
      (y) => share(rows, y),
    );
  }
  if (filledWidth === width && filledHeight === height) return painting;
  return cut(painting, filledWidth, 0, 0, width, height);
}

/** The tiles of each side, down and across. @param {number} width @param {number} height @param {number | null} surroundings */
function grid(width, height, surroundings) {
  const margin = surroundings === null ? UNKNOWN : Math.ceil(surroundings / 4) * 4;
  return [height, width].map((side) => tiles(side, Math.max(TILE, 4 * margin), margin));
}

/** The number of tiles of a photo. @param {number} width @param {number} height @param {number | null} surroundings */
function count(width, height, surroundings) {
  const [down, across] = grid(width + filling(width), height + filling(height), surroundings);
  return down.length * across.length;
}

/**
 * @param {number} side
 */
function filling(side) {
  return Math.max(SMALLEST - side, (4 - (side % 4)) % 4);
}

/** The photo with its last column and row repeated up to the new size.
 * @param {Pixels} pixels
 * @param {number} width
 * @param {number} height
 * @param {number} newWidth
 * @param {number} newHeight
 */
function fill(pixels, width, height, newWidth, newHeight) {
  if (newWidth === width && newHeight === height) return pixels;
  const result = new Uint8ClampedArray(newWidth * newHeight * 3);
  for (let y = 0; y < newHeight; y++) {
    const from = Math.min(y, height - 1) * width * 3,
      to = y * newWidth * 3;
    result.set(pixels.subarray(from, from + width * 3), to);
    const last = pixels.subarray(from + (width - 1) * 3, from + width * 3);
    for (let x = width; x < newWidth; x++) result.set(last, to + x * 3);
  }
  return result;
}

/**
 * @param {Pixels} pixels
 * @param {number} width
 * @param {number} left
 * @param {number} top
 * @param {number} newWidth
 * @param {number} newHeight
 */
function cut(pixels, width, left, top, newWidth, newHeight) {
  const result = new Uint8ClampedArray(newWidth * newHeight * 3);
  for (let y = 0; y < newHeight; y++) {
    const from = ((top + y) * width + left) * 3;
    result.set(pixels.subarray(from, from + newWidth * 3), y * newWidth * 3);
  }
  return result;
}

/** For one side, each tile's start, and from where to where it paints; faded in: whether it blends with one before.
 *
 * As few tiles as go with `largest` px at most, of one size and no larger than it takes.
 * @param {number} size
 * @param {number} largest
 * @param {number} margin
 */
function tiles(size, largest, margin) {
  const shared = 2 * margin + FADE;
  const count = Math.max(1, Math.ceil((size - shared) / (largest - shared)));
  const step = 4 * Math.ceil(Math.max(0, size - shared) / count / 4);
  const tile = Math.min(size, step + shared);
  return Array.from({ length: count }, (_, number) => {
    const start = Math.min(number * step, size - tile);
    const to = number === count - 1 ? size : start + tile - margin;
    return { start, tile, from: start ? start + margin : 0, to, fadedIn: start > 0 };
  });
}

/** Put `fresh`, newWidth x newHeight, into `painting` at (left, top), each pixel by its share.
 * @param {Pixels} painting
 * @param {number} width
 * @param {Pixels} fresh
 * @param {number} left
 * @param {number} top
 * @param {number} newWidth
 * @param {number} newHeight
 * @param {(x: number) => number} shareOfColumn
 * @param {(y: number) => number} shareOfRow
 */
function fadeIn(painting, width, fresh, left, top, newWidth, newHeight, shareOfColumn, shareOfRow) {
  const columns = Float32Array.from({ length: newWidth }, (_, x) => shareOfColumn(x));
  for (let y = 0; y < newHeight; y++) {
    const row = Math.fround(shareOfRow(y));
    for (let x = 0, from = y * newWidth * 3, to = ((top + y) * width + left) * 3; x < newWidth; x++) {
      const weight = row * columns[x];
      for (let k = 0; k < 3; k++, from++, to++) {
        painting[to] = weight === 1 ? fresh[from] : painting[to] + weight * (fresh[from] - painting[to]);
      }
    }
  }
}

/** What a tile counts at a place of the side, counted from where it begins to paint.
 * @param {Tile} side
 * @param {number} place
 */
function share(side, place) {
  return side.fadedIn && place < FADE ? (place + 1) / (FADE + 1) : 1;
}
