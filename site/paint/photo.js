// A file, a pasted picture or a camera's frame to pixels, upright, in sRGB, on white; or a fault that says what to do.

import { asFault, Fault } from "./messages.js";

const LIMIT = 4032 * 3024; // pixels: what phones call 12 megapixels
// A canvas's transformation that turns an image upright, by its EXIF orientation.
/** @type {Record<number, [number, number, number, number]>} */
const TURNS = {
  2: [-1, 0, 0, 1],
  3: [-1, 0, 0, -1],
  4: [1, 0, 0, -1],
  5: [0, 1, 1, 0],
  6: [0, 1, -1, 0],
  7: [0, -1, -1, 0],
  8: [0, -1, 1, 0],
};
// Adobe RGB (1998) as an ICC profile.
const ADOBE_RGB = `
AAABWAAAAAACEAAAbW50clJHQiBYWVogAAAAAAAAAAAAAAAAYWNzcAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAPbWAAEAAAAA0y0AAAAAAAAA
AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAHclhZWgAAANgAAAAUZ1hZWgAAAOwAAAAUYlhZWgAAAQAAAAAUd3RwdAAA
ARQAAAAUclRSQwAAASgAAAAQZ1RSQwAAATgAAAAQYlRSQwAAAUgAAAAQWFlaIAAAAAAAAJwYAABPpQAABPxYWVogAAAAAAAANI0AAKAsAAAPlVhZWiAA
AAAAAAAmMQAAEC8AAL6bWFlaIAAAAAAAAPbWAAEAAAAA0y1jdXJ2AAAAAAAAAAECMwAAY3VydgAAAAAAAAABAjMAAGN1cnYAAAAAAAAAAQIzAAA=`;

/** An image file as a canvas of at most `megapixels`. Throws a Fault.
 * @param {File | Blob} file
 * @param {number} megapixels
 */
export async function readPhoto(file, megapixels) {
  const name = /** @type {File} */ (file).name || "The picture";
  const kind = await sniff(file);
  if (!file.size) throw new Fault("photo-empty", { name });
  const { plain, orientation } = await heed(file, kind);
  let bitmap;
  try {
    bitmap = await createImageBitmap(plain, { imageOrientation: "from-image", premultiplyAlpha: "none" });
  } catch {
    /** @type {Record<string, string>} */
    const codes = { HEIC: "photo-heic", none: "photo-none", other: "photo-other" };
    throw new Fault(codes[kind] ?? "photo-damaged", { name, kind });
  }
  const canvas = toCanvas(bitmap, bitmap.width, bitmap.height, megapixels);
  if (!TURNS[orientation]) return canvas;
  const [a, b, c, d] = TURNS[orientation];
  const context = blank(a ? canvas.width : canvas.height, a ? canvas.height : canvas.width);
  context.setTransform(a, b, c, d, a + c < 0 ? context.canvas.width : 0, b + d < 0 ? context.canvas.height : 0);
  context.drawImage(canvas, 0, 0);
  return context.canvas;
}

/** What browsers leave aside of EXIF: a WebP's orientation, and that a JPEG without a profile is in Adobe RGB.
 * { plain, orientation }: a file that every browser decodes alike, and how to turn what it decodes.
 * @param {Blob} file
 * @param {string} kind
 */
async function heed(file, kind) {
  const data = await file.slice(0, { JPEG: 1 << 17, WebP: file.size }[kind] ?? 0).arrayBuffer();
  const text = new TextDecoder("latin1").decode(data);
  const found = /(?:EXIF.{4}|Exif\0\0)(?=II\*\0|MM\0\*)/s.exec(text);
  if (!found) return { plain: file, orientation: 1 };
  const start = found.index + found[0].length;
  const view = new DataView(data, start);
  const little = text[start] === "I";
  /** Where the value of a tag is whose table begins where `at` points; 0 without the tag. */
  const value = (/** @type {number} */ at, /** @type {number} */ tag) => {
    const table = at && view.getUint32(at, little);
    const count = at && view.getUint16(table, little);
    const rows = Array.from({ length: count }, (_, row) => table + 2 + 12 * row);
    return 8 + (rows.find((row) => view.getUint16(row, little) === tag) ?? -8);
  };
  try {
    if (kind === "WebP") {
      const at = value(4, 0x112);
      const orientation = at && view.getUint16(at, little);
      // Without it, browsers that would heed it turn nothing.
      const plain = new Blob([file.slice(0, start + at), new Uint8Array(2), file.slice(start + at + 2)]);
      return at ? { plain, orientation } : { plain: file, orientation };
    }
    const index = start + value(value(value(4, 0x8769), 0xa005), 1);
    if (text.startsWith("R03", index) && !text.includes("ICC_PROFILE\0")) {
      const profile = `\xff\xe2\x01\x68ICC_PROFILE\0\x01\x01${atob(ADOBE_RGB)}`;
      const bytes = Uint8Array.from(profile, (character) => character.charCodeAt(0));
      return { plain: new Blob([file.slice(0, 2), bytes, file.slice(2)]), orientation: 1 };
    }
  } catch {} // damaged metadata: the pixels are there
  return { plain: file, orientation: 1 };
}

/** What createImageBitmap or a video shows, as a canvas of at most `megapixels`.
 * @param {ImageBitmap | HTMLVideoElement | HTMLCanvasElement} source
 * @param {number} width
 * @param {number} height
 */
export function toCanvas(source, width, height, megapixels = 12) {
  const scale = Math.min(1, Math.sqrt((megapixels >= 12 ? LIMIT : megapixels * 1e6) / (width * height)));
  const context = blank(Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale)));
  const canvas = context.canvas;
  context.fillStyle = "white";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
  if ("close" in source) source.close();
  return canvas;
}

/** The context of a new canvas. @param {number} width @param {number} height */
function blank(width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  // Kept in memory that is read often: a graphics card's may round colours.
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw asFault("no context", "memory");
  return context;
}

/** What the first bytes say: "JPEG", "PNG", "WebP", "GIF", "AVIF", "HEIC", "other" or "none". @param {Blob} file */
async function sniff(file) {
  const bytes = new Uint8Array(
    await file
      .slice(0, 16)
      .arrayBuffer()
      .catch(() => new ArrayBuffer(0)),
  );
  const text = String.fromCharCode(...bytes);
  if (text.startsWith("\xff\xd8\xff")) return "JPEG";
  if (text.startsWith("\x89PNG")) return "PNG";
  if (text.startsWith("GIF8")) return "GIF";
  if (text.startsWith("RIFF") && text.slice(8, 12) === "WEBP") return "WebP";
  if (text.slice(4, 8) === "ftyp") {
    if (/^avi[fs]/.test(text.slice(8))) return "AVIF";
    if (/^(hei|hev|mif1|msf1)/.test(text.slice(8))) return "HEIC";
    return "none"; // a film
  }
  if (/^(BM|II\*\0|MM\0\*|8BPS)/.test(text)) return "other";
  return "none";
}
