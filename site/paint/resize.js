// Lanczos resizing with the same whole-number arithmetic as Pillow's, so that page and `monet translate` agree.

const BITS = 22; // of a weight's fraction, as in Pillow

/** RGB pixels (Uint8Array, 3 a pixel) of `width` x `height` to `newWidth` x `newHeight`. */
export function resize(pixels, width, height, newWidth, newHeight) {
  if (newWidth !== width) pixels = alongRows(pixels, width, height, newWidth);
  if (newHeight !== height) pixels = alongColumns(pixels, newWidth, height, newHeight);
  return pixels;
}

function alongRows(pixels, width, height, newWidth) {
  const result = new Uint8ClampedArray(newWidth * height * 3);
  const { starts, counts, weights, most } = weightsFor(width, newWidth);
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < newWidth; x++, to += 3) {
      let from = (y * width + starts[x]) * 3;
      let red = 1 << (BITS - 1), green = red, blue = red;
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

function alongColumns(pixels, width, height, newHeight) {
  const row = width * 3;
  const result = new Uint8ClampedArray(row * newHeight);
  const { starts, counts, weights, most } = weightsFor(height, newHeight);
  const sums = new Int32Array(row);
  for (let y = 0; y < newHeight; y++) {
    sums.fill(1 << (BITS - 1));
    for (let k = 0; k < counts[y]; k++) {
      const weight = weights[y * most + k];
      const from = (starts[y] + k) * row;
      for (let x = 0; x < row; x++) sums[x] += pixels[from + x] * weight;
    }
    for (let x = 0, to = y * row; x < row; x++, to++) result[to] = sums[x] >> BITS;
  }
  return result;
}

/** For each place of the new side, the old places that it sees and their weights, whose sum is 1 << BITS. */
function weightsFor(size, newSize) {
  const scale = size / newSize;
  const stretch = Math.max(1, scale);
  const support = 3 * stretch;
  const most = Math.ceil(support) * 2 + 1;
  const starts = new Int32Array(newSize), counts = new Int32Array(newSize);
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

function lanczos(x) {
  return Math.abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0;
}

function sinc(x) {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}
