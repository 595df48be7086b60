// Lanczos resizing with the same whole-number arithmetic as Pillow's, so that page and `monet translate` agree.

/** @typedef {Uint8ClampedArray | Uint8Array} Pixels three a pixel */

const BITS = 22; // of a weight's fraction, as in Pillow

const STRIP = 128; // rows of a large picture that are in memory at once

/** RGB pixels of `width` x `height` to `newWidth` x `newHeight`.
 * @param {Pixels} pixels
 * @param {number} width
 * @param {number} height
 * @param {number} newWidth
 * @param {number} newHeight
 */
export function resize(pixels, width, height, newWidth, newHeight) {
  if (newWidth !== width) pixels = alongRows(pixels, width, height, newWidth);
  return newHeight === height ? pixels : alongColumns(pixels, newWidth, height, newHeight, 0, newHeight);
}

/** A large picture at several sizes. It is read strip by strip, so that it is never in memory as a whole.
 * @template {{ width: number, height: number }} Size
 * @param {(top: number, rows: number) => Promise<Pixels>} read the RGB pixels of so many rows
 * @param {number} width
 * @param {number} height
 * @param {Size[]} sizes
 * @returns {Promise<(Size & { pixels: Pixels })[]>}
 */
export async function resizeRead(read, width, height, sizes) {
  const narrow = sizes.map((size) => new Uint8ClampedArray(size.width * height * 3));
  for (let top = 0; top < height; top += STRIP) {
    const rows = Math.min(STRIP, height - top);
    const strip = await read(top, rows);
    for (const [k, size] of sizes.entries()) {
      narrow[k].set(resize(strip, width, rows, size.width, rows), top * size.width * 3);
    }
  }
  return sizes.map((size, k) => ({ ...size, pixels: resize(narrow[k], size.width, height, size.width, size.height) }));
}

/** RGB pixels in another size, strip by strip: { top, pixels }, the RGBA pixels of the rows from `top` on.
 * @param {Pixels} pixels
 * @param {number} width
 * @param {number} height
 * @param {number} newWidth
 * @param {number} newHeight
 */
export function* resizeInStrips(pixels, width, height, newWidth, newHeight) {
  const wide = resize(pixels, width, height, newWidth, height);
  for (let top = 0; top < newHeight; top += STRIP) {
    const end = Math.min(newHeight, top + STRIP);
    const strip =
      newHeight === height
        ? wide.subarray(top * newWidth * 3, end * newWidth * 3)
        : alongColumns(wide, newWidth, height, newHeight, top, end);
    yield { top, pixels: opaque(strip) };
  }
}

/** RGB pixels as RGBA. @param {Pixels} rgb */
export function opaque(rgb) {
  const rgba = new Uint8ClampedArray((rgb.length / 3) * 4).fill(255);
  for (let from = 0, to = 0; from < rgb.length; from += 3, to += 4) {
    rgba[to] = rgb[from];
    rgba[to + 1] = rgb[from + 1];
    rgba[to + 2] = rgb[from + 2];
  }
  return rgba;
}

/**
 * @param {Pixels} pixels
 * @param {number} width
 * @param {number} height
 * @param {number} newWidth
 */
function alongRows(pixels, width, height, newWidth) {
  const result = new Uint8ClampedArray(newWidth * height * 3);
  const { starts, counts, weights, most } = weightsFor(width, newWidth);
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < newWidth; x++, to += 3) {
      let from = (y * width + starts[x]) * 3;
      let red = 1 << (BITS - 1),
        green = red,
        blue = red;
      for (let k = x * most, end = k + counts[x]; k < end; k++, from += 3) {
        const weight = weights[k];
        red += pixels[from] * weight;
        green += pixels[from + 1] * weight;
        blue += pixels[from + 2] * weight;
      }
      result[to] = red >> BITS;
      result[to + 1] = green >> BITS;
      result[to + 2] = blue >> BITS;
    }
  }
  return result;
}

/** The rows from `top` to `end` of the new picture.
 * @param {Pixels} pixels
 * @param {number} width
 * @param {number} height
 * @param {number} newHeight
 * @param {number} top
 * @param {number} end
 */
function alongColumns(pixels, width, height, newHeight, top, end) {
  const row = width * 3;
  const result = new Uint8ClampedArray(row * (end - top));
  const { starts, counts, weights, most } = weightsFor(height, newHeight);
  const sums = new Int32Array(row);
  for (let y = top; y < end; y++) {
    sums.fill(1 << (BITS - 1));
    for (let k = 0; k < counts[y]; k++) {
      const weight = weights[y * most + k];
      const from = (starts[y] + k) * row;
      for (let x = 0; x < row; x++) sums[x] += pixels[from + x] * weight;
    }
    for (let x = 0, to = (y - top) * row; x < row; x++, to++) result[to] = sums[x] >> BITS;
  }
  return result;
}

/** For each place of the new side, the old places that it sees and their weights, whose sum is 1 << BITS.
 * @param {number} size
 * @param {number} newSize
 */
function weightsFor(size, newSize) {
  const scale = size / newSize;
  const stretch = Math.max(1, scale);
  const support = 3 * stretch;
  const most = Math.ceil(support) * 2 + 1;
  const starts = new Int32Array(newSize),
    counts = new Int32Array(newSize);
  const weights = new Int32Array(newSize * most);
  for (let place = 0; place < newSize; place++) {
    const centre = (place + 0.5) * scale;
    const start = Math.max(0, Math.trunc(centre - support + 0.5));
    const count = Math.min(size, Math.trunc(centre + support + 0.5)) - start;
    const found = Array.from({ length: count }, (_, k) => lanczos((k + start - centre + 0.5) / stretch));
    const sum = found.reduce((a, b) => a + b, 0);
    for (let k = 0; k < count; k++) {
      const weight = (found[k] / sum) * (1 << BITS);
      weights[place * most + k] = Math.trunc(weight + (weight < 0 ? -0.5 : 0.5));
    }
    starts[place] = start;
    counts[place] = count;
  }
  return { starts, counts, weights, most };
}

/**
 * @param {number} x
 */
function lanczos(x) {
  return Math.abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0;
}

/**
 * @param {number} x
 */
function sinc(x) {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}
