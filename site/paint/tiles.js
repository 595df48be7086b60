// A photo of any size painted in tiles, as monet_lib/painting/translation.py does it: the same places, the same fades.

import { resize } from "./resize.js";

const TILE = 768; // px
const RAMP = 32; // px over which a tile fades into the one before
const SMALLEST = 72; // px to which a small photo is filled up
const UNKNOWN = 64; // px of a tile's border thrown away where a network looks at the whole picture

/** RGB pixels in strokes `brush` times as wide: painted at 1 / brush of the size, and enlarged again.
 *
 * paint: async (pixels, width, height) => pixels, for a picture of at most TILE px a side. onTile: async ({ done, all,
 * pixels, left, top, width, height }) after each tile, of the painting before it is enlarged; it may throw to stop.
 */
export async function paintBroadly(paint, pixels, width, height, brush, surroundings, onTile) {
  const small = { width: roundHalfEven(width / brush), height: roundHalfEven(height / brush) };
  const photo = resize(pixels, width, height, small.width, small.height);
  const painting = await paintLarge(paint, photo, small.width, small.height, surroundings, onTile);
  return resize(painting, small.width, small.height, width, height);
}

/** The size at which a photo is painted. Python's round: halves go to the even number. */
export function roundHalfEven(x) {
  const floor = Math.floor(x);
  return x - floor === 0.5 ? floor + (floor % 2) : Math.round(x);
}

async function paintLarge(paint, pixels, width, height, surroundings, onTile) {
  const filledWidth = width + filling(width), filledHeight = height + filling(height);
  const photo = fill(pixels, width, height, filledWidth, filledHeight);
  const painting = new Uint8ClampedArray(photo.length);
  const margin = surroundings === null ? UNKNOWN : Math.ceil(surroundings / 4) * 4;
  const largest = Math.max(TILE, 4 * margin);
  const tile = { width: Math.min(largest, filledWidth), height: Math.min(largest, filledHeight) };
  const down = tiles(filledHeight, tile.height, margin), across = tiles(filledWidth, tile.width, margin);
  let done = 0;
  for (const rows of down) {
    for (const columns of across) {
      const part = cut(photo, filledWidth, columns.start, rows.start, tile.width, tile.height);
      const painted = await paint(part, tile.width, tile.height);
      blend(painting, filledWidth, painted, tile.width, rows, columns);
      const area = { left: columns.from, top: rows.from, width: columns.to - columns.from, height: rows.to - rows.from };
      done += 1;
      await onTile?.({
        done, all: down.length * across.length, ...area,
        pixels: cut(painting, filledWidth, area.left, area.top, area.width, area.height),
      });
    }
  }
  return cut(painting, filledWidth, 0, 0, width, height);
}

function filling(side) {
  return Math.max(SMALLEST - side, (4 - (side % 4)) % 4);
}

/** The photo with its last column and row repeated up to the new size. */
function fill(pixels, width, height, newWidth, newHeight) {
  const result = new Uint8ClampedArray(newWidth * newHeight * 3);
  for (let y = 0; y < newHeight; y++) {
    const from = Math.min(y, height - 1) * width * 3, to = y * newWidth * 3;
    result.set(pixels.subarray(from, from + width * 3), to);
    const last = pixels.subarray(from + (width - 1) * 3, from + width * 3);
    for (let x = width; x < newWidth; x++) result.set(last, to + x * 3);
  }
  return result;
}

function cut(pixels, width, left, top, newWidth, newHeight) {
  const result = new Uint8ClampedArray(newWidth * newHeight * 3);
  for (let y = 0; y < newHeight; y++) {
    const from = ((top + y) * width + left) * 3;
    result.set(pixels.subarray(from, from + newWidth * 3), y * newWidth * 3);
  }
  return result;
}

/** For one side, each tile's start, and from where to where it paints; faded in: whether it blends with one before. */
function tiles(size, tile, margin) {
  const last = size - tile, starts = [];
  for (let start = 0; start < last; start += tile - 2 * margin - RAMP) starts.push(start);
  starts.push(last);
  return starts.map((start) => ({
    start, from: start ? start + margin : 0, to: start === last ? size : start + tile - margin, fadedIn: start > 0,
  }));
}

function blend(painting, width, painted, tileWidth, rows, columns) {
  for (let y = rows.from; y < rows.to; y++) {
    const down = share(rows, y);
    for (let x = columns.from; x < columns.to; x++) {
      const weight = Math.fround(down * share(columns, x));
      const to = (y * width + x) * 3, from = ((y - rows.start) * tileWidth + x - columns.start) * 3;
      for (let k = 0; k < 3; k++) {
        const fresh = painted[from + k], old = painting[to + k];
        painting[to + k] = weight === 1 ? fresh : old + weight * (fresh - old);
      }
    }
  }
}

function share(side, place) {
  const into = place - side.from;
  return side.fadedIn && into < RAMP ? (into + 1) / (RAMP + 1) : 1;
}
