// Lanczos resizing with the same whole-number arithmetic as Pillow's, so that page and `monet translate` agree.

/** @typedef {Uint8ClampedArray | Uint8Array} Pixels three a pixel */

const BITS = 22; // of a weight's fraction, as in Pillow

/** RGB pixels (Uint8Array, 3 a pixel) of `width` x `height` to `newWidth` x `newHeight`.
 * @param {Pixels} pixels
 * @param {number} width
 * @param {number} height
 * @param {number} newWidth
 * @param {number} newHeight
 */
export function resize(pixels, width, height, newWidth, newHeight) {
  if (newWidth !== width) pixels = alongRows(pixels, width, height, newWidth);
  if (newHeight !== height) pixels = alongColumns(pixels, newWidth, height, newHeight);
  return pixels;
}

/** The same, to RGBA: pixels without transparency.
 * @param {Pixels} pixels
 * @param {number} width
 * @param {number} height
 * @param {number} newWidth
 * @param {number} newHeight
 */
export function resizeOpaque(pixels, width, height, newWidth, newHeight) {
  if (newWidth !== width) pixels = alongRows(pixels, width, height, newWidth);
  if (newHeight !== height) return alongColumns(pixels, newWidth, height, newHeight, 4);
  const result = new Uint8ClampedArray(newWidth * newHeight * 4).fill(255);
  for (let from = 0, to = 0; from < pixels.length; from += 3, to += 4) {
    result[to] = pixels[from];
    result[to + 1] = pixels[from + 1];
    result[to + 2] = pixels[from + 2];
  }
  return result;
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

/**
 * @param {Pixels} pixels
 * @param {number} width
 * @param {number} height
 * @param {number} newHeight
 */
function alongColumns(pixels, width, height, newHeight, channels = 3) {
  const row = width * 3;
  const result = new Uint8ClampedArray(width * newHeight * channels).fill(255);
  const { starts, counts, weights, most } = weightsFor(height, newHeight);
  const sums = new Int32Array(row);
  for (let y = 0; y < newHeight; y++) {
    sums.fill(1 << (BITS - 1));
    for (let k = 0; k < counts[y]; k++) {
      const weight = weights[y * most + k];
      const from = (starts[y] + k) * row;
      for (let x = 0; x < row; x++) sums[x] += pixels[from + x] * weight;
    }
    for (let x = 0, to = y * width * channels; x < row; x++, to++) {
      if (channels === 4 && x && x % 3 === 0) to++;
      result[to] = sums[x] >> BITS;
    }
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
